// Brings what npm installed up to date: the generated package, which npm copies only once and `cargo
// regen` may have written since, and the packages of folders with a lock of their own: other versions of the official
// client, and those that are named: `node refresh.mjs browser` (a browser that only its own tests need), `documents` (linters),
// `relay`. With `--only` as the first word nothing else is done.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = new URL("./", import.meta.url);
const versions = ["oldest/", "react-query/", "tanstack/"].map((name) => new URL(name, here));

const only = process.argv[2] === "--only";
const named = process.argv.slice(only ? 3 : 2);

for (const folder of [...(only ? [] : versions), ...named.map((name) => new URL(`${name}/`, here))]) {
  if (existsSync(new URL("node_modules/.package-lock.json", folder))) continue;
  const { status } = spawnSync("npm", ["ci"], { cwd: folder, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
if (only) process.exit();
const bindings = new URL("../testbed/bindings/", here);
const { files } = JSON.parse(readFileSync(new URL("package.json", bindings), "utf8"));
const within = (name) => (statSync(new URL(name, bindings)).isDirectory() ? readdirSync(new URL(name, bindings)).map((file) => `${name}/${file}`) : [name]);
// What is the same stays: a suite that runs beside this may be reading it.
const isSame = (one, other) => existsSync(other) && readFileSync(one).equals(readFileSync(other));
for (const folder of [here, ...versions]) {
  for (const file of [...files, "package.json"].flatMap(within)) {
    const [written, copy] = [new URL(file, bindings), new URL(`node_modules/@onefold/testbed/${file}`, folder)];
    if (!isSame(written, copy)) cpSync(fileURLToPath(written), fileURLToPath(copy));
  }
}
// The types of the OpenAPI document, as whoever has nothing but the document makes them.
const generator = fileURLToPath(new URL("node_modules/openapi-typescript/bin/cli.js", here));
const [document, types] = ["../testbed/bindings/openapi.json", "src/styles/openapi.d.ts"].map((path) => fileURLToPath(new URL(path, here)));
const { status, stderr } = spawnSync(process.execPath, [generator, document, "--output", types], { encoding: "utf8" });
if (status !== 0) {
  process.stderr.write(stderr);
  process.exit(status ?? 1);
}
cpSync(fileURLToPath(new URL("src/clients/types.ts", here)), fileURLToPath(new URL("oldest/types.ts", here)));
// A test whose source is gone must not run on.
rmSync(new URL(named.includes("browser") ? "browser/build/" : "build/", here), { recursive: true, force: true });
