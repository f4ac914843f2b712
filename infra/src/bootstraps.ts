/** The built functions, as cargo-lambda leaves them. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract, Procedure } from "./contract.js";
import { binaryName } from "./names.js";
import { Problem } from "./problem.js";
import type { Architecture } from "./stage.js";

/** How many missing ones are named. */
const MAX_NAMED = 5;

/** The folder that becomes one function's code. */
export function assetOf(root: string, procedure: Procedure): string {
  return join(root, binaryName(procedure));
}

/** @throws Problem when functions are not built. */
export function checkBootstraps(root: string, contract: Contract, architecture: Architecture): void {
  const missing = contract.procedures.filter((procedure) => !existsSync(join(assetOf(root, procedure), "bootstrap")));
  if (missing.length === 0) {
    return;
  }
  const named = missing.slice(0, MAX_NAMED).map((procedure) => procedure.name).join(", ");
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : "";
  const flag = architecture === "arm64" ? " --arm64" : "";
  throw new Problem(`Not built under ${root}: ${named}${more}. Run \`cargo lambda build --release${flag} -p functions\` first.`);
}

/** Stands for functions that are not built: each is a file of a few bytes. A template does not show the difference. */
export function writePlaceholders(root: string, contract: Contract): void {
  for (const procedure of contract.procedures) {
    const folder = assetOf(root, procedure);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "bootstrap"), procedure.name);
  }
}
