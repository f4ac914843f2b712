/** Where things are, from where this file is after the build. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const INFRA = fileURLToPath(new URL("../../", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const CONTRACT = join(ROOT, "bindings/contract.json");
/** The built functions: `<function>/bootstrap`. */
export const BINARIES = join(ROOT, "target/lambda");
