// The functions under `cargo lambda`, as the README describes it: beside a running service, whose data
// folder says how to reach the database. Cargo builds each function at its first call.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createTRPCClient, httpLink } from "@trpc/client";
import { createClient, failureOf, type AppRouter, type UserId } from "@onefold/backoffice";
import { freePort, ROOT, startProgram } from "../service.js";

const PROGRAM = process.env["ONEFOLD_BINARY"] ?? join(ROOT, "target/debug/onefold");
/** `pip install --require-hashes --requirement tests/requirements.txt` put it there. */
const CARGO_LAMBDA = join(ROOT, "tests/.venv/bin/cargo-lambda");
/** How long a function may take until it is built. */
const BUILD_TIMEOUT_MS = 600_000;

const data = mkdtempSync(join(tmpdir(), "onefold-lambda-"));
let service: Awaited<ReturnType<typeof startProgram>>;
let watch: ChildProcess;
let port: number;

before(async () => {
  service = await startProgram(PROGRAM, ["--port", "0", "--data", data]);
  port = await freePort();
  const place = ["-A", "127.0.0.1", "-P", String(port)];
  const parameters = ["lambda", "watch", "--offline", ...place, "--env-file", join(data, "functions.env"), "-p", "functions"];
  watch = spawn(CARGO_LAMBDA, parameters, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  for (let tries = 0; ; tries += 1) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false);
    if (answers) break;
    assert.ok(tries < 100 && watch.exitCode === null, "cargo lambda watch did not start");
    await sleep(100);
  }
});

after(async () => {
  if (watch?.exitCode === null) {
    const ended = new Promise((resolve) => watch.once("exit", resolve));
    watch.kill("SIGINT");
    await ended;
  }
  await service?.stop();
  rmSync(data, { recursive: true, force: true });
});

const token = () =>
  execFileSync(PROGRAM, ["token", "--role", "administrator", "--data", data], { encoding: "utf8" }).trim();

/** What `cargo lambda invoke` prints: the function's answer to the gateway. */
async function invoke(name: string, file: string): Promise<{ statusCode: number; body: string }> {
  const place = ["-A", "127.0.0.1", "-P", String(port)];
  const parameters = ["lambda", "invoke", name, ...place, "--data-file", file];
  const { stdout } = await promisify(execFile)(CARGO_LAMBDA, parameters, { cwd: ROOT, timeout: BUILD_TIMEOUT_MS });
  return JSON.parse(stdout) as { statusCode: number; body: string };
}

test("the official client reaches one function per procedure by its path separator", async () => {
  const url = `http://127.0.0.1:${port}/lambda-url`;
  const client = createTRPCClient<AppRouter>({
    links: [httpLink({ url, pathSeparator: "-", headers: { authorization: `Bearer ${token()}` } })],
  });
  assert.equal(await client.health.ping.query(), "pong");
  const user = await client.users.create.mutate({ email: "ada@example.com", name: "Ada" });
  assert.deepEqual(await client.users.get.query({ id: user.id }), user);
});

test("so does the package's own", async () => {
  const client = createClient({ url: `http://127.0.0.1:${port}/lambda-url`, pathSeparator: "-", token });
  const id = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;
  const error: unknown = await client.users.get.query({ id }).catch((error: unknown) => error);
  assert.deepEqual(failureOf("users.get", error), { type: "missing", value: id });
});

test("cargo lambda invoke sends a gateway's event", async () => {
  const ping = await invoke("health-ping", "tests/fixtures/health-ping.json");
  assert.deepEqual([ping.statusCode, ping.body], [200, '{"result":{"data":"pong"}}']);
});

test("an event without a good token is answered with the envelope of a refusal", async () => {
  const { statusCode, body } = await invoke("users-get", "tests/fixtures/users-get.json");
  const { error } = JSON.parse(body) as { error: { data: { code: string; path: string } } };
  assert.deepEqual([statusCode, error.data.code, error.data.path], [401, "UNAUTHORIZED", "users.get"]);
});

test("an event with a fresh token finds the user of the demonstration company", async () => {
  execFileSync(PROGRAM, ["seed", "--data", data], { stdio: ["ignore", "ignore", "inherit"] });
  const file = join(data, "users-get.json");
  const event = readFileSync(join(ROOT, "tests/fixtures/users-get.json"), "utf8");
  writeFileSync(file, event.replace("TOKEN", token()));
  const { statusCode, body } = await invoke("users-get", file);
  const { result } = JSON.parse(body) as { result: { data: { name: string } } };
  assert.deepEqual([statusCode, result.data.name], [200, "Hedy Jansen"]);
});
