/** The folders of the repository, relative to this file after the build. No other module names the generated files' folder. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const INFRA = fileURLToPath(new URL("../../", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** The files that `cargo regen` writes, the only ones of the service that are read here. */
const BINDINGS = join(ROOT, "bindings");
export const CONTRACT = join(BINDINGS, "contract.json");
/** The types of the contract. */
export type * from "../../bindings/contract.js";
/** The built functions: `<function>/bootstrap`. */
export const BINARIES = join(ROOT, "target/lambda");
