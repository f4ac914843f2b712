// "Add a procedure in five minutes", done to the letter in a copy of the tree.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startProgram } from "../service.js";
import { addProcedure, copyTarget, copyTree, moved, run, tutorial } from "./readme.js";

test("the tutorial's text leads to a new procedure with a typed client", async () => {
  const steps = tutorial();
  const { program, commands } = steps;
  const tree = copyTree("clone");
  const target = copyTarget("clone");
  const environment = { ...process.env, CARGO_TARGET_DIR: target };
  const before = readFileSync(join(tree, "bindings/contract.json"), "utf8");

  addProcedure(tree, steps);

  // One command.
  assert.match(commands, /^cargo regen$/m);
  run("cargo", ["regen"], { cwd: tree, env: environment });
  assert.ok(existsSync(join(tree, `functions/src/bin/${steps.domain}-${steps.name}.rs`)));
  assert.notEqual(readFileSync(join(tree, "bindings/contract.json"), "utf8"), before);

  // `cargo run`, and the typed client.
  const data = mkdtempSync(join(tmpdir(), "onefold-tutorial-"));
  const onefold = join(target, "debug/onefold");
  const service = await startProgram(onefold, ["--port", "0", "--data", data]);
  try {
    writeFileSync(join(tree, program.path), moved(program.text, service.url));
    assert.match(commands, /^npm --prefix examples\/client run build$/m);
    run("npm", ["--prefix", "examples/client", "run", "build"], { cwd: tree });
    const token = execFileSync(onefold, ["token", "--role", "administrator", "--data", data], { encoding: "utf8" }).trim();
    const script = /node (examples\/client\/build\/\S+\.js)$/m.exec(commands)?.[1];
    assert.ok(script !== undefined);
    const said = run("node", [script], { cwd: tree, env: { ...process.env, TOKEN: token } });
    assert.match(said, /^\d{4}-\d\d-\d\dT\S+Z registered$/m);
    assert.match(said, /^01890a5d-ac96-774b-bcce-b302099a8057 has done nothing yet\.$/m);
  } finally {
    await service.stop();
    rmSync(data, { recursive: true, force: true });
  }
});
