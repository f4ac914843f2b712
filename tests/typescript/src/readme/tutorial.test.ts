// "Add a procedure in five minutes", done to the letter in a copy of the tree.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, startProgram } from "../service.js";
import { blocks, copyTree, moved, run, type Block } from "./readme.js";

const INDEX = "functions/src/lib.rs";

/** The path in the first line of a block, such as `//! functions/src/posts/latest.rs`. */
const pathOf = ({ text }: Block) => /^\/\/!? (\S+\/\S+)\n/.exec(text)?.[1];

/** Lends the copy what is built of other people's crates. Our own have other paths there, and so other names. */
function lendDependencies(target: string) {
  const script = `
    set -e
    mkdir -p "$2/debug/deps"
    cp -al "$1/debug/build" "$1/debug/.fingerprint" "$2/debug/"
    find "$1/debug/deps" -maxdepth 1 -type f \\( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \\) \\
      -exec ln -t "$2/debug/deps" {} +
  `;
  if (!existsSync(target)) execFileSync("bash", ["-c", script, "bash", join(ROOT, "target"), target]);
}

test("the tutorial's text leads to a new procedure with a typed client", async () => {
  const steps = blocks("Add a procedure in five minutes");
  const [procedure, program] = steps.filter((block) => pathOf(block) !== undefined);
  const index = steps.find(({ language, text }) => language === "rust" && /^\s*\w+ \{ [\w, ]+ \}\n$/.test(text));
  assert.ok(procedure && program && index, "the section has a file, a line of the index and a program");
  const commands = steps.filter(({ language }) => language === "sh").map(({ text }) => text).join("");

  const tree = copyTree("tutorial");
  const target = join(ROOT, "target/tmp/tutorial/target");
  lendDependencies(target);
  const environment = { ...process.env, CARGO_TARGET_DIR: target };
  const before = readFileSync(join(tree, "bindings/contract.json"), "utf8");

  // One new file.
  const file = pathOf(procedure) ?? "";
  assert.ok(!existsSync(join(tree, file)), `${file} is new`);
  writeFileSync(join(tree, file), procedure.text);

  // One word.
  const domain = /^\s*(\w+) \{/.exec(index.text)?.[1];
  const lib = readFileSync(join(tree, INDEX), "utf8");
  const line = lib.split("\n").find((line) => line.trim().startsWith(`${domain ?? ""} {`));
  assert.ok(line !== undefined);
  const words = (text: string) => new Set(text.match(/\w+/g));
  const added = [...words(index.text)].filter((word) => !words(line).has(word));
  assert.equal(added.length, 1, `one word is new, not ${added.join(" ")}`);
  writeFileSync(join(tree, INDEX), lib.replace(`${line}\n`, index.text));

  // One command.
  assert.match(commands, /^cargo regen$/m);
  run("cargo", ["regen"], { cwd: tree, env: environment });
  assert.ok(existsSync(join(tree, `functions/src/bin/${domain ?? ""}-${added[0] ?? ""}.rs`)));
  assert.notEqual(readFileSync(join(tree, "bindings/contract.json"), "utf8"), before);

  // `cargo run`, and the typed client.
  const data = mkdtempSync(join(tmpdir(), "onefold-tutorial-"));
  const onefold = join(target, "debug/onefold");
  const service = await startProgram(onefold, ["--port", "0", "--data", data]);
  try {
    writeFileSync(join(tree, pathOf(program) ?? ""), moved(program.text, service.url));
    assert.match(commands, /^npm --prefix examples\/client run build$/m);
    run("npm", ["--prefix", "examples/client", "run", "build"], { cwd: tree });
    const token = execFileSync(onefold, ["token", "--role", "administrator", "--data", data], { encoding: "utf8" }).trim();
    const script = /node (examples\/client\/build\/\S+\.js)$/m.exec(commands)?.[1];
    assert.ok(script !== undefined);
    const said = run("node", [script], { cwd: tree, env: { ...process.env, TOKEN: token } });
    assert.match(said, /^\d{4}-\d\d-\d\dT\S+Z Lunch$/m);
    assert.match(said, /^Eve has written nothing yet\.$/m);
  } finally {
    await service.stop();
    rmSync(data, { recursive: true, force: true });
  }
});
