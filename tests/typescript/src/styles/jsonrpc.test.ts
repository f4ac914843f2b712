// JSON-RPC 2.0, through the client of `jayson`, which knows nothing of the service.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import jayson from "jayson/promise/index.js";
import { BINDINGS, startService, type Service } from "../service.js";

/** What makes a notification of a call; jayson's types do not know it. */
const NO_ID = null as unknown as string;
const NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057";

type RpcError = { code: number; message: string; data: Record<string, unknown> };
type Answer = { jsonrpc: "2.0"; id: string | number | null; result?: unknown; error?: RpcError };
type User = { id: string; email: string; name: string };

let service: Service;
let client: jayson.HttpClient;
let origin: string;

const connect = (token?: string) => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { hostname, port } = new URL(service.url);
  return jayson.Client.http({ hostname, port, path: "/jsonrpc", headers });
};

before(async () => {
  service = await startService();
  ({ origin } = new URL(service.url));
  client = connect(service.administrator);
});
after(() => service.stop());

const ask = async (method: string, params: object | unknown[] = {}, by = client) =>
  (await by.request(method, params as jayson.RequestParamsLike)) as Answer;

async function resultOf<T>(method: string, params: object | unknown[] = {}): Promise<T> {
  const { result, error } = await ask(method, params);
  assert.equal(error, undefined, JSON.stringify(error));
  return result as T;
}

async function errorOf(method: string, params: object | unknown[] = {}, by = client): Promise<RpcError> {
  const { result, error } = await ask(method, params, by);
  assert.ok(error !== undefined && result === undefined, `${method} succeeded`);
  return error;
}

const create = (name = "Ada") => resultOf<User>("users.create", { email: `${crypto.randomUUID()}@example.com`, name });

test("by name and by position", async () => {
  const user = await create();
  assert.deepEqual(await resultOf("users.get", { id: user.id }), user);
  assert.deepEqual(await resultOf("users.get", [user.id]), user);
  const email = `${crypto.randomUUID()}@example.com`;
  assert.equal((await resultOf<User>("users.create", [email, "Bob"])).email, email);
  assert.equal(await resultOf("health.ping", []), "pong");
  assert.equal((await errorOf("users.get", [user.id, 2])).code, -32602);
});

test("failures are whole", async () => {
  const missing = await errorOf("users.get", { id: NOBODY });
  assert.deepEqual([missing.code, missing.data["code"], missing.data["httpStatus"]], [-32004, "NOT_FOUND", 404]);
  assert.deepEqual(missing.data["failure"], { type: "missing", value: NOBODY });
  assert.equal(typeof missing.data["requestId"], "string");
  const invalid = await errorOf("users.create", { email: "ada", name: "", age: 151 });
  assert.deepEqual([invalid.code, invalid.data["code"]], [-32602, "BAD_REQUEST"]);
  const fields = invalid.data["fields"] as { path: string; message: string }[];
  assert.deepEqual(fields.map(({ path }) => path).sort(), ["age", "email", "name"]);
  assert.equal((await errorOf("users.get", { id: NOBODY, other: 1 })).code, -32602);
  assert.equal((await errorOf("users.list", {}, connect())).code, -32001);
  assert.equal((await errorOf("users.create", {}, connect(service.token("viewer")))).code, -32003);
  for (const unknown of ["users.gone", "rpc.gone", "grants.token"]) {
    const { code, message } = await errorOf(unknown);
    assert.deepEqual([code, message], [-32601, "Method not found"]);
  }
});

test("a batch: some succeed, some fail, some say nothing", async () => {
  const user = await create();
  const answers = (await client.request([
    client.request("users.get", { id: user.id }, undefined, false),
    client.request("users.get", [NOBODY], "text", false),
    client.request("health.ping", [], NO_ID, false),
    client.request("posts.list", { limit: 1 }, 1, false),
  ] as never)) as unknown as Answer[];
  assert.equal(answers.length, 3, "the one without an id is a notification");
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  assert.equal(byId.get("text")?.error?.code, -32004);
  assert.ok(byId.get(1)?.result);
});

test("a notification is made, and nothing is said", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const nothing = await client.request("users.create", { email, name: "Quiet" }, NO_ID);
  assert.equal(nothing, undefined);
  const taken = await errorOf("users.create", { email, name: "Loud" });
  assert.equal((taken.data["failure"] as { type: string }).type, "emailTaken");
});

test("rpc.discover is the printed document, but for the address", async () => {
  const document = await resultOf<{ servers: { url: string }[] }>("rpc.discover");
  const printed = JSON.parse(readFileSync(join(BINDINGS, "openrpc.json"), "utf8")) as typeof document;
  assert.equal(document.servers[0]?.url, `${service.home}/jsonrpc`);
  assert.deepEqual({ ...document, servers: [] }, { ...printed, servers: [] });
});

test("whatever is hostile gets a clear error, and the next call works", async () => {
  const post = async (body: string | Uint8Array<ArrayBuffer>) => {
    const answer = await fetch(`${origin}/jsonrpc`, { method: "POST", headers: { "content-type": "application/json" }, body });
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
  const call = JSON.stringify({ jsonrpc: "2.0", method: "health.ping", id: 1 });
  for (const [body, status, code] of [
    [`[${Array(10_000).fill(call).join(",")}]`, 200, -32600],
    ["[".repeat(200_000), 200, -32700],
    [new Uint8Array([0x22, 0xff, 0x22]), 200, -32700],
    ['{"jsonrpc":"2.0","method":"health.ping","method":"users.list","id":1}', 200, -32600],
    [`{"jsonrpc":"2.0","method":"users.list","params":{"a":${"[".repeat(9_000)}${"]".repeat(9_000)}},"id":1}`, 200, -32001],
    ["x".repeat(1_100_000), 413, -32013],
  ] as const) {
    const answer = await post(body);
    assert.deepEqual([answer.status, answer.body.error?.code], [status, code], String(body).slice(0, 60));
  }
  assert.deepEqual((await post(call)).body, { jsonrpc: "2.0", result: "pong", id: 1 });
});
