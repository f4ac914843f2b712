/** The built functions, in the folders where cargo-lambda writes them. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "./contract.js";
import { allFunctions, type Named } from "./names.js";
import { Problem } from "./problem.js";
import type { Architecture } from "./stage.js";

/** How many missing functions a message names. */
const MAX_NAMED = 5;

/** The folder with one function's code. */
export function assetOf(root: string, { programPrefix }: Pick<Contract, "programPrefix">, named: Pick<Named, "function">): string {
  return join(root, `${programPrefix}${named.function}`);
}

/** The packages of the functions, as arguments of Cargo. */
export function packagesOf({ packages }: Contract): string[] {
  return packages.flatMap((name) => ["-p", name]);
}

/** @throws Problem when functions are not built. */
export function checkBootstraps(root: string, contract: Contract, architecture: Architecture): void {
  const missing = allFunctions(contract).filter((named) => !existsSync(join(assetOf(root, contract, named), "bootstrap")));
  if (missing.length === 0) {
    return;
  }
  const named = missing.slice(0, MAX_NAMED).map(({ name }) => name).join(", ");
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : "";
  const flag = architecture === "arm64" ? " --arm64" : "";
  throw new Problem(`Not built under ${root}: ${named}${more}. Run \`cargo lambda build --release${flag} ${packagesOf(contract).join(" ")}\` first.`);
}

/** Writes a file of a few bytes for each function that is not built. A template does not show the difference. */
export function writePlaceholders(root: string, contract: Contract): void {
  for (const named of allFunctions(contract)) {
    const folder = assetOf(root, contract, named);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "bootstrap"), named.name);
  }
}
