// The functions under `cargo lambda`, as the README describes it: beside a running service, whose data folder says how to reach the
// database. Cargo builds each function at its first call. What is called here are the procedures that the README names.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createTRPCUntypedClient, httpLink } from "@trpc/client";
import { createClient, failureOf, type UserId } from "@onefold/testbed";
import { freePort, REFERENCE, ROOT, startProgram } from "../service.js";

const PROGRAM = process.env["ONEFOLD_BINARY"] ?? REFERENCE;
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
  execFileSync(PROGRAM, ["seed", "--data", data], { stdio: ["ignore", "ignore", "inherit"] });
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

/** The event of the README, and the user of the demonstration company for whom it asks. */
const event = readFileSync(join(ROOT, "tests/fixtures/users-get.json"), "utf8");
const { queryStringParameters } = JSON.parse(event) as { queryStringParameters: { input: string } };
const { id } = JSON.parse(queryStringParameters.input) as { id: UserId };
/** The same user, as the running service answers. */
const user = () => createClient({ url: service.url, token }).users.get.query({ id });

/** What `cargo lambda invoke` prints: the function's answer to the gateway. */
async function invoke(name: string, file: string): Promise<{ statusCode: number; body: string }> {
  const place = ["-A", "127.0.0.1", "-P", String(port)];
  const parameters = ["lambda", "invoke", name, ...place, "--data-file", file];
  const { stdout } = await promisify(execFile)(CARGO_LAMBDA, parameters, { cwd: ROOT, timeout: BUILD_TIMEOUT_MS });
  return JSON.parse(stdout) as { statusCode: number; body: string };
}

test("the official client reaches one function per procedure by its path separator", async () => {
  const url = `http://127.0.0.1:${port}/lambda-url`;
  const client = createTRPCUntypedClient({
    links: [httpLink({ url, pathSeparator: "-", headers: { authorization: `Bearer ${token()}` } })],
  });
  assert.equal(await client.query("health.ping"), "pong");
  assert.deepEqual(await client.query("users.get", { id }), await user());
});

// That of the testbed is the same program, and the testbed has these two procedures as well.
test("so does the package's own", async () => {
  const client = createClient({ url: `http://127.0.0.1:${port}/lambda-url`, pathSeparator: "-", token });
  assert.equal(await client.health.ping.query(), "pong");
  const unknown = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;
  const error: unknown = await client.users.get.query({ id: unknown }).catch((error: unknown) => error);
  assert.deepEqual(failureOf("users.get", error), { type: "missing", value: unknown });
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
  const file = join(data, "users-get.json");
  writeFileSync(file, event.replace("TOKEN", token()));
  const { statusCode, body } = await invoke("users-get", file);
  const { result } = JSON.parse(body) as { result: { data: unknown } };
  assert.deepEqual([statusCode, result.data], [200, await user()]);
});
