// The commands in docs/, in infra/README.md and in the README, as they stand there. What can be done on this machine is
// done, against a service; what needs AWS is read: bash knows its syntax, and the program its parameters.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { REFERENCE, ROOT, startProgram } from "../service.js";
import { blocksOf, run } from "./readme.js";

const onefold = process.env["ONEFOLD_BINARY"] ?? REFERENCE;
let data: string;
let service: Awaited<ReturnType<typeof startProgram>>;
let origin: string;
before(async () => {
  data = mkdtempSync(join(tmpdir(), "onefold-docs-"));
  service = await startProgram(onefold, ["--port", "0", "--data", data]);
  origin = new URL(service.url).origin;
});
after(async () => {
  await service.stop();
  rmSync(data, { recursive: true, force: true });
});

type Command = { file: string; text: string };

const files = ["README.md", "infra/README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];
const commands: Command[] = files.flatMap((file) =>
  blocksOf(file).filter(({ language }) => language === "sh").map(({ text }) => ({ file, text })),
);

/** What other tests follow to the letter, what is a test itself, and what builds an older commit first. */
const ELSEWHERE = [/^cargo run {4}#|^cargo run\n$/m, /^\.\/test /m, /npm --prefix examples\/client/, /^cargo regen$/m, /^\.ci\/differences/m, /^cargo lambda |^curl \S+\/lambda-url/m];
/** What needs an account at AWS. */
const AT_AWS = /\baws |cargo run -- (deploy|destroy|keys|logs)|cdk bootstrap|"\$URL\/auth\.|\$STAGE|template-diff -- OLD|--requirement tests/;

/** What is typed, as this machine has it: the program is built, the service has a port of its own. */
const PREAMBLE = `
set -euo pipefail
cargo() { while [ "$1" != "--" ]; do shift; done; shift; "$ONEFOLD" "$@" --data "$DATA"; }
curl() { command curl --silent --show-error --write-out '\\nstatus %{http_code}\\n' "$@"; }
`;

function shell(text: string) {
  const env = { ...process.env, ONEFOLD: onefold, DATA: data, TOKEN: token(), URL: service.url };
  // What is written here stays out of the tree.
  const cwd = /\bcargo run|\bgit /.test(text) ? ROOT : data;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", text], { cwd, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

let signed: string | undefined;
const token = () => (signed ??= run(onefold, ["token", "--role", "administrator", "--data", data], {}).trim());

/** At the place where the service really is. */
const here = (text: string) =>
  text.replaceAll("http://127.0.0.1:9000", origin).replaceAll(/https:\/\/\w+\.cloudfront\.net/g, origin)
    .replaceAll(" --stage dev", "").replaceAll("origin/main", "HEAD").replaceAll("/tmp/", `${data}/`);

const isElsewhere = ({ text }: Command) => ELSEWHERE.some((known) => known.test(text));
const isRun = (command: Command) => command.file !== "infra/README.md" && !isElsewhere(command) && !AT_AWS.test(command.text);

test("every block is one that a test runs, or that needs AWS", () => {
  assert.ok(commands.length > 40, `there are ${commands.length}`);
  const ran = commands.filter(isRun);
  assert.ok(ran.length >= 8, ran.map(({ text }) => text).join("\n"));
  for (const { file, text } of ran) assert.doesNotMatch(text, /\b[A-Z]+_[A-Z]+_OUT\b|…/, `${file}: ${text}`);
});

describe("what can be done on this machine", () => {
  for (const { file, text } of commands.filter(isRun)) {
    test(`${file}: ${text.split("\n")[0] ?? ""}`, () => {
      const { status, stdout, stderr } = shell(`${PREAMBLE}${here(text)}`);
      assert.equal(status, 0, `${text}\n${stdout}\n${stderr}`);
      // An id that is made up leads nowhere; whatever else is refused is a fault of the text.
      for (const [, answer = "", code] of stdout.matchAll(/([^]*?)\nstatus (\d+)\n/g)) {
        assert.ok(Number(code) < 400 || /NOT_FOUND/.test(answer), `${text}\n${String(code)} ${answer}`);
      }
    });
  }
});

test("what is typed is a shell's, and the program's own parameters are known", () => {
  for (const { file, text } of commands) {
    const read = spawnSync("bash", ["-n", "-c", text], { encoding: "utf8" });
    assert.equal(read.status, 0, `${file}: ${text}\n${read.stderr}`);
    for (const [, line = ""] of text.matchAll(/cargo run (?:--quiet )?-- ((?:"[^"]*"|'[^']*'|[^#\n);|>])+)/g)) {
      const help = shell(`"$ONEFOLD" ${line.trim()} --help`);
      assert.equal(help.status, 0, `${file}: ${line}\n${help.stderr}`);
    }
  }
});

test("infra/README.md: templates without an account", () => {
  const infra = join(ROOT, "infra");
  run("npm", ["ci"], { cwd: infra });
  const text = commands.find(({ file, text }) => file === "infra/README.md" && text.includes("cdk synth"))?.text ?? "";
  const lines = text.split("\n").filter((line) => /placeholders|cdk synth/.test(line));
  assert.equal(lines.length, 2, text);
  run("bash", ["-ec", lines.join("\n")], { cwd: infra });
  assert.ok(existsSync(join(infra, "cdk.out/manifest.json")));
});
