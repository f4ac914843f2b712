// Brings what npm installed up to date: the generated package, which npm copies only once and `cargo
// regen` may have written since, and the packages of the folder `tanstack`, which has a lock of its own.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = new URL("./", import.meta.url);
const tanstack = new URL("tanstack/", here);

if (!existsSync(new URL("node_modules/.package-lock.json", tanstack))) {
  const { status } = spawnSync("npm", ["ci"], { cwd: tanstack, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
for (const folder of [here, tanstack]) {
  const copy = new URL("node_modules/@onefold/backoffice/", folder);
  rmSync(copy, { recursive: true, force: true });
  for (const file of ["contract.json", "index.d.ts", "index.js", "package.json"]) {
    cpSync(fileURLToPath(new URL(`../../bindings/${file}`, here)), fileURLToPath(new URL(file, copy)));
  }
}
// A test whose source is gone must not run on.
rmSync(new URL("build/", here), { recursive: true, force: true });
