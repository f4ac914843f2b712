/** The folders of the repository, relative to this file after the build. No other module names the generated files' folder. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const INFRA = fileURLToPath(new URL("../../", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** The contract of the service to deploy. `ONEFOLD_CONTRACT` names that of another service of this workspace. */
export const CONTRACT = process.env["ONEFOLD_CONTRACT"] ?? join(ROOT, "bindings/contract.json");
/** The folder of the files that `cargo regen` writes, the only ones of the service that are read here. */
export const BINDINGS = dirname(CONTRACT);
/** The types of the contract. */
export type * from "../../bindings/contract.js";
/** The built functions: `<program>/bootstrap`. */
export const BINARIES = join(ROOT, "target/lambda");
