// One service in every style, as the deployed functions answer it: REST by procedures' own functions, all else by gateways that
// invoke them. What the styles do in detail is tested locally; here is only that they are reached, and that what they invoke is.

import assert from "node:assert/strict";

/** What a request was answered. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: any;
}

/** Asks somebody at an origin. */
export function asking(origin: string, token?: string) {
  return async (method: string, path: string, { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {}): Promise<Answer> => {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(`${origin}${path}`, { method, headers: { ...type, ...authorization, ...headers }, body: sent ?? null });
    const text = await answer.text();
    const isJson = /json/.test(answer.headers.get("content-type") ?? "");
    return { status: answer.status, headers: answer.headers, text, json: isJson && text !== "" ? JSON.parse(text) : undefined };
  };
}

type Ask = ReturnType<typeof asking>;

export async function batches(ask: Ask): Promise<void> {
  const two = await ask("GET", `/trpc/health.ping,users.list?batch=1&input=${encodeURIComponent('{"1":{"limit":1}}')}`);
  assert.equal(two.status, 200, two.text);
  assert.equal(two.json[0].result.data, "pong");
  assert.equal(two.json[1].result.data.items.length, 1);
  const mixed = await ask("GET", `/trpc/health.ping,users.get,users.promote?batch=1&input=${encodeURIComponent('{"1":{"id":"nobody"}}')}`);
  assert.equal(mixed.status, 207, mixed.text);
  assert.deepEqual(mixed.json.map((one: any) => one.error?.data.code ?? one.result.data), ["pong", "BAD_REQUEST", "NOT_FOUND"]);
}

export async function graphql(ask: Ask): Promise<void> {
  const answer = await ask("POST", "/graphql", { body: { query: "{ healthPing again: healthPing }" } });
  assert.deepEqual([answer.status, answer.json], [200, { data: { healthPing: "pong", again: "pong" } }]);
}

export async function jsonRpc(ask: Ask): Promise<void> {
  const call = (id: number, method: string, params?: unknown) => ({ jsonrpc: "2.0", id, method, params });
  const { json } = await ask("POST", "/jsonrpc", { body: [call(1, "users.list", { limit: 1 }), call(2, "health.ping"), call(3, "users.promote")] });
  const [list, ping, nothing] = [1, 2, 3].map((id) => json.find((one: any) => one.id === id));
  assert.equal(list.result.items.length, 1);
  assert.equal(ping.result, "pong");
  assert.equal(nothing.error.code, -32601);
}

export async function soap(ask: Ask): Promise<void> {
  const { text: description } = await ask("GET", "/soap?wsdl");
  const [, namespace] = /targetNamespace="([^"]+)"/.exec(description) ?? assert.fail(description);
  const envelope = (body: string) => `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${body}</e:Body></e:Envelope>`;
  const headers = { "content-type": "text/xml; charset=utf-8", soapaction: '""' };
  const answer = await ask("POST", "/soap", { body: envelope(`<healthPing xmlns="${namespace}"/>`), headers });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, />pong</);
}

export async function rest(ask: Ask): Promise<void> {
  const list = await ask("GET", "/v1/users?limit=1&sort=-createdAt");
  assert.deepEqual([list.status, list.json.items.length], [200, 1], list.text);
  const created = await ask("POST", "/v1/users", { body: { email: `rest.${Date.now()}@example.com`, name: "Hedy" } });
  assert.equal(created.status, 201, created.text);
  const path = new URL(created.headers.get("location") ?? "", "http://here").pathname;
  assert.equal(path, `/v1/users/${created.json.id}`);

  const found = await ask("GET", path);
  const tag = found.headers.get("etag") ?? assert.fail("no tag");
  assert.deepEqual([found.status, found.json], [200, created.json]);
  assert.deepEqual([(await ask("HEAD", path)).status, (await ask("GET", path, { headers: { "if-none-match": tag } })).status], [200, 304]);

  const patched = await ask("PATCH", path, { body: { name: "Hedy Lamarr" }, headers: { "if-match": tag } });
  assert.deepEqual([patched.status, patched.json.name], [200, "Hedy Lamarr"], patched.text);
  const late = await ask("PATCH", path, { body: { name: "Eve" }, headers: { "if-match": tag } });
  assert.equal(late.status, 412, late.text);

  // The function that has the path for GET answers for those methods that no function has.
  const wrong = await ask("PUT", path, { body: {} });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD, DELETE, PATCH"]);
  assert.match(wrong.headers.get("content-type") ?? "", /^application\/problem\+json/);
  const nobody = await ask("GET", "/v1/users/nobody");
  assert.deepEqual([nobody.status, nobody.json.code], [400, "BAD_REQUEST"], nobody.text);
}

export async function documents(ask: Ask): Promise<void> {
  const page = await ask("GET", "/docs");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  const { json } = await ask("GET", "/openapi.json");
  assert.match(json.openapi, /^3\.1\./);
  assert.ok(json.paths["/v1/users/{id}"].get);
}
