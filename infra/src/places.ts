/** Where things are, from where this file is after the build. Nothing else here names the folder of what is generated. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const INFRA = fileURLToPath(new URL("../../", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** What `cargo regen` writes of the service, and nothing else of it is read here. */
const BINDINGS = join(ROOT, "bindings");
export const CONTRACT = join(BINDINGS, "contract.json");
/** The types of what is in it. */
export type * from "../../bindings/contract.js";
/** The built functions: `<function>/bootstrap`. */
export const BINARIES = join(ROOT, "target/lambda");
