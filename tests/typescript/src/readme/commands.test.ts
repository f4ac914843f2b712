// Commands that cannot do what they are asked for say why, and leave nothing behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { REFERENCE, ROOT } from "../service.js";

const onefold = process.env["ONEFOLD_BINARY"] ?? REFERENCE;
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "onefold-commands-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command in an environment that knows no AWS, but for what is given. */
async function command(parameters: string[], environment: Record<string, string> = {}) {
  const bare = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  const env = { ...Object.fromEntries(bare), AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null", ...environment };
  const all = [...parameters, "--data", join(folder, "data")];
  const child = spawn(onefold, all, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [status, stdout, said] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, stdout, said };
}

test("keys without a region, or of a stage that there is not, are refused before one is made", async () => {
  assert.match((await command(["keys", "--stage", "dev"])).said, /No AWS region is set/);
  assert.match((await command(["keys", "--stage", "nowhere"])).said, /There is no stage "nowhere"/);
  assert.ok(!existsSync(join(folder, "data")), "nothing was written");
  const { status, said } = await command(["token", "--stage", "dev", "--role", "viewer"]);
  assert.ok(status !== 0 && /there is no key for dev here/.test(said), said);
});

test("a key that could not be published is not left here", async () => {
  // Who asks for the account is answered, and nothing else.
  let asked = 0;
  const identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
  const aws = createServer((request, response) => {
    asked += 1;
    const isIdentity = request.headers["x-amz-target"] === undefined;
    response.writeHead(isIdentity ? 200 : 400, { "content-type": isIdentity ? "text/xml" : "application/x-amz-json-1.1" });
    response.end(isIdentity ? identity : '{"__type":"AccessDeniedException","message":"No."}');
  });
  await new Promise<void>((resolve) => aws.listen(0, "127.0.0.1", resolve));
  const { port } = aws.address() as AddressInfo;
  const environment = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x", AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` };
  try {
    mkdirSync(join(folder, "data"), { recursive: true, mode: 0o700 });
    const { status, said } = await command(["keys", "--stage", "dev"], environment);
    assert.ok(status !== 0 && asked > 1, said);
    const left = readdirSync(join(folder, "data"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".key"));
    assert.deepEqual(left, []);
  } finally {
    aws.close();
  }
});

test("roles are those that the service has", async () => {
  for (const parameters of [["token", "--role", "viewr"], ["token", "--stage", "dev", "--role", "viewer", "--role", "king"], ["call", "health.ping", "--role", "viewr"]]) {
    const { status, stdout, said } = await command(parameters);
    assert.deepEqual([status, stdout], [2, ""], said);
    assert.match(said, /there is no role (viewr|king); there are (\w+, )+\w+/);
  }
});
