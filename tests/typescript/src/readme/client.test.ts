// The README's TypeScript snippet is examples/client/main.ts, and it works as its command says.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { REFERENCE, ROOT, startHere } from "../service.js";
import { blocks, copyTree, moved, run } from "./readme.js";

const main = readFileSync(join(ROOT, "examples/client/main.ts"), "utf8");

test("the README shows examples/client/main.ts", () => {
  assert.ok(blocks().some(({ language, text }) => language === "ts" && text === main));
  assert.ok(blocks().some(({ language, text }) => language === "sh" && text.includes("npm --prefix examples/client start")));
});

test("its command runs it against the service", async () => {
  const service = await startHere({}, [], REFERENCE);
  try {
    const tree = copyTree("client", "bindings", "examples/client");
    writeFileSync(join(tree, "examples/client/main.ts"), moved(main, service.url));
    const environment = { ...process.env, TOKEN: service.administrator };
    const said = run("npm", ["--prefix", "examples/client", "start"], { cwd: tree, env: environment });
    assert.match(said, /name: 'Ada'/);
    assert.match(said, /^No user has the id 01890a5d-ac96-774b-bcce-b302099a8057\.$/m);
  } finally {
    await service.stop();
  }
});
