// The package as npm packs it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as client from "@onefold/client";
import * as session from "@onefold/client/session";

const folder = new URL("../", import.meta.url);

test("it can be required as well as imported, and has the same names", () => {
  const require = createRequire(import.meta.url);
  for (const [name, imported] of [["@onefold/client", client], ["@onefold/client/session", session]]) {
    assert.deepEqual(Object.keys(require(name)).sort(), Object.keys(imported).sort(), name);
  }
});

test("npm packs its modules, its types and what is read first, and nothing else", () => {
  const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: folder, encoding: "utf8" }));
  const { files: stated } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  assert.deepEqual(files.map(({ path }) => path).sort(), ["README.md", "package.json", ...stated].sort());
});
