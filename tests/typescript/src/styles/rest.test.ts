// REST: each procedure's own route, called through the types that openapi-typescript makes of the OpenAPI document,
// and raw where it is about HTTP.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startService, type Service } from "../service.js";
import { client } from "./rest.js";

let service: Service;
let url: string;
let call: ReturnType<typeof client>;
before(async () => {
  service = await startService();
  url = new URL(service.url).origin;
  call = client(url, service.administrator);
});
after(() => service.stop());

/** A request as it is, with an administrator's token. */
function raw(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const all = { authorization: `Bearer ${service.administrator}`, ...headers };
  return fetch(`${url}${path}`, { method, headers: all, body: body ?? null });
}

let count = 0;
/** A new user. */
async function create(fields: { age?: number; isVerified?: boolean; name?: string } = {}) {
  const email = `rest.${process.pid}.${count++}@example.com`;
  const created = await call("post", "/v1/users", { body: { email, name: "Ada", ...fields } });
  assert.equal(created.status, 201);
  return created;
}

/** The problem in an answer. */
async function problem(answer: Response) {
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const body = (await answer.json()) as Record<string, unknown>;
  assert.equal(body["status"], answer.status);
  assert.equal(body["requestId"], answer.headers.get("x-request-id"));
  assert.equal(typeof body["title"], "string");
  return body;
}

test("what is created is where the answer says", async () => {
  const created = await create({ age: 36 });
  if (created.status !== 201) throw new Error("not created");
  const location = created.headers.get("location");
  assert.equal(location, `/v1/users/${created.body.id}`);
  assert.equal(created.headers.get("etag"), `"${created.body.version}"`);
  const found = await raw("GET", location ?? "");
  assert.deepEqual(await found.json(), created.body);
});

test("nothing to say is 204", async () => {
  const created = await create();
  if (created.status !== 201) throw new Error("not created");
  const removed = await call("delete", "/v1/users/{id}", { path: { id: created.body.id } });
  assert.equal(removed.status, 204);
  assert.equal(removed.body, undefined);
  const gone = await call("get", "/v1/users/{id}", { path: { id: created.body.id } });
  if (gone.status !== 404) throw new Error(`answered ${gone.status}`);
  // The failure is typed: no other one has this status here.
  assert.deepEqual(gone.body.failure, { type: "missing", value: created.body.id });
  assert.equal(gone.body.code, "NOT_FOUND");
  assert.equal(gone.body.type, `${url}/docs#users.get:missing`);
});

test("lists take typed filters, ranges and orders", async () => {
  for (const age of [29, 31, 35, 33]) await create({ age, isVerified: true, name: "Range" });
  const asked = await raw("GET", "/v1/users?ageMin=30&ageMax=34&isVerified=true&sort=-age&limit=20");
  const page = (await asked.json()) as { items: { age: number }[]; next: string | null };
  assert.deepEqual(page.items.map(({ age }) => age), [33, 31]);

  const typed = await call("get", "/v1/users", { query: { ageMin: 30, ageMax: 34, isVerified: true, sort: "age" } });
  if (typed.status !== 200) throw new Error(`answered ${typed.status}`);
  assert.deepEqual(typed.body.items.map(({ age }) => age), [31, 33]);

  const wrong = await raw("GET", "/v1/users?ageMin=old&limit=0&colour=red");
  const { errors } = (await problem(wrong)) as { errors: { path: string }[] };
  assert.equal(wrong.status, 400);
  assert.deepEqual(errors.map(({ path }) => path).sort(), ["ageMin", "colour", "limit"]);
});

test("a page links to the next one, and the last one does not", async () => {
  for (let made = 0; made < 5; made++) await create({ age: 101, name: `Page ${made}` });
  const seen: string[] = [];
  let next: string | undefined = "/v1/users?age=101&limit=2&sort=name";
  for (let pages = 0; next !== undefined; pages++) {
    assert.ok(pages < 5, "there is no end");
    const answer = await raw("GET", next);
    const { items } = (await answer.json()) as { items: { name: string }[] };
    seen.push(...items.map(({ name }) => name));
    const link = answer.headers.get("link");
    next = link === null ? undefined : /^<([^>]+)>; rel="next"$/.exec(link)?.[1];
    assert.equal(link === null, next === undefined, link ?? "");
  }
  assert.deepEqual(seen, ["Page 0", "Page 1", "Page 2", "Page 3", "Page 4"]);
});

test("what has not changed is not sent again", async () => {
  const created = await create();
  if (created.status !== 201) throw new Error("not created");
  const path = `/v1/users/${created.body.id}`;
  const etag = created.headers.get("etag") ?? "";
  for (const tags of [etag, `W/${etag}`, `"77", ${etag}`, "*"]) {
    const same = await raw("GET", path, { "if-none-match": tags });
    assert.equal(same.status, 304, tags);
    assert.equal(await same.text(), "");
    assert.equal(same.headers.get("etag"), etag);
  }
  const other = await raw("GET", path, { "if-none-match": '"77"' });
  assert.equal(other.status, 200);
});

test("a change counts for the version that was seen, or not at all", async () => {
  const created = await create({ age: 20 });
  if (created.status !== 201) throw new Error("not created");
  const path = { id: created.body.id };
  const etag = created.headers.get("etag") ?? "";

  const changed = await call("patch", "/v1/users/{id}", { path, headers: { "if-match": etag }, body: { age: 21 } });
  if (changed.status !== 200) throw new Error(`answered ${changed.status}`);
  assert.equal(changed.headers.get("etag"), `"${changed.body.version}"`);
  assert.notEqual(changed.headers.get("etag"), etag);

  const late = await call("patch", "/v1/users/{id}", { path, headers: { "if-match": etag }, body: { age: 22 } });
  if (late.status !== 412) throw new Error(`answered ${late.status}`);
  assert.equal(late.body.code, "PRECONDITION_FAILED");
  assert.deepEqual(late.body.failure, { type: "changed", version: changed.body.version });

  // The same by the input's own field: a conflict.
  const { version } = created.body;
  const conflict = await call("patch", "/v1/users/{id}", { path, body: { age: 22, version } });
  if (conflict.status !== 409) throw new Error(`answered ${conflict.status}`);
  assert.deepEqual(conflict.body.failure, { type: "changed", version: changed.body.version });

  const { email } = created.body;
  const other = await create();
  if (other.status !== 201) throw new Error("not created");
  const taken = await call("patch", "/v1/users/{id}", {
    path: { id: other.body.id },
    headers: { "if-match": other.headers.get("etag") ?? "" },
    body: { email },
  });
  assert.equal(taken.status, 409, "another conflict stays one, whatever was named");

  const old = await raw("GET", `/v1/users/${created.body.id}`, { "if-match": etag });
  assert.equal((await problem(old))["code"], "PRECONDITION_FAILED", "reading is held to it as well (RFC 9110 section 13.1.1)");
  const current = await raw("GET", `/v1/users/${created.body.id}`, { "if-match": `"${changed.body.version}"` });
  assert.equal(current.status, 200);
});

test("in a merge patch absent stays, and null is a value", async () => {
  const created = await create({ age: 40, name: "Before" });
  if (created.status !== 201) throw new Error("not created");
  const path = `/v1/users/${created.body.id}`;
  for (const type of ["application/merge-patch+json", "application/json; charset=utf-8"]) {
    const answer = await raw("PATCH", path, { "content-type": type }, '{"name":"After"}');
    const { age, name } = (await answer.json()) as { age: number | null; name: string };
    assert.deepEqual({ age, name }, { age: 40, name: "After" });
  }
  const cleared = await raw("PATCH", path, { "content-type": "application/merge-patch+json" }, '{"age":null}');
  assert.equal(((await cleared.json()) as { age: number | null }).age, null);
  const refused = await raw("PATCH", path, { "content-type": "application/json" }, '{"name":null}');
  assert.equal(refused.status, 400, "a name cannot be null");
  const twice = await raw("PATCH", path, { "content-type": "application/json" }, `{"id":"${created.body.id}","name":"x"}`);
  assert.equal(twice.status, 400, "what the path says, the body does not say again");
});

test("HEAD is GET without a body", async () => {
  const created = await create();
  const path = created.headers.get("location") ?? "";
  const [head, get] = [await raw("HEAD", path), await raw("GET", path)];
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  for (const name of ["etag", "content-type", "content-length", "cache-control"]) {
    assert.equal(head.headers.get(name), get.headers.get(name), name);
  }
  const missing = await raw("HEAD", "/v1/users/01999b5c-7a10-7c3e-8f21-000000000000");
  assert.equal(missing.status, 404);
});

test("only what can be given is given", async () => {
  for (const accept of ["application/json", "application/*", "*/*", "text/html, */*;q=0.1", ""]) {
    assert.equal((await raw("GET", "/v1/health", { accept })).status, 200, accept);
  }
  for (const accept of ["text/html", "application/xml", "application/json;q=0, */*"]) {
    const refused = await raw("GET", "/v1/health", { accept });
    assert.equal(refused.status, 406, accept);
    assert.equal((await problem(refused))["code"], "NOT_ACCEPTABLE");
  }
});

test("a method that is not there says which are", async () => {
  const refused = await raw("PUT", "/v1/users", { "content-type": "application/json" }, "{}");
  assert.equal(refused.status, 405);
  assert.deepEqual(new Set((refused.headers.get("allow") ?? "").split(", ")), new Set(["GET", "HEAD", "POST"]));
  assert.equal((await problem(refused))["code"], "METHOD_NOT_SUPPORTED");
});

test("a body that is no JSON object is refused in words", async () => {
  const json = { "content-type": "application/json" };
  const text = '{"email":"a@example.com","name":"a"}';
  const cases: [Record<string, string>, string, number][] = [
    [{ "content-type": "text/plain" }, text, 415],
    [{ "content-type": "application/merge-patch+json" }, text, 415],
    [json, "{", 400],
    [json, "[]", 400],
    [json, "null", 400],
    [json, `${text} ${text}`, 400],
    [json, '{"email":"a@example.com","name":"a","name":"b"}', 400],
    [json, '{"email":"a@example.com","name":"a","colour":"red"}', 400],
    [json, `{"email":"a@example.com","name":${"[".repeat(10_000)}`, 400],
    [json, `{"email":"a@example.com","name":"${"a".repeat(1024 * 1024)}"}`, 413],
  ];
  for (const [headers, body, status] of cases) {
    const refused = await raw("POST", "/v1/users", headers, body);
    assert.equal(refused.status, status, body.slice(0, 60));
    await problem(refused);
  }
  assert.equal((await raw("POST", "/v1/users?name=a", json, text)).status, 400, "a POST has no query");
  assert.equal((await raw("GET", "/v1/health")).status, 200, "the next call works");
});

test("who is not signed in, and who may not", async () => {
  const nobody = await client(url)("get", "/v1/users");
  if (nobody.status !== 401) throw new Error(`answered ${nobody.status}`);
  assert.equal(nobody.headers.get("www-authenticate"), "Bearer");
  assert.equal(nobody.body.type, "about:blank");
  const viewer = await client(url, service.token("viewer"))("post", "/v1/users", { body: { email: "a@example.com", name: "a" } });
  assert.equal(viewer.status, 403);
});

test("the documents are where the service is", async () => {
  const openapi = await fetch(`${url}/openapi.json`);
  const document = (await openapi.json()) as { openapi: string; servers: { url: string }[] };
  assert.equal(document.openapi, "3.1.0");
  assert.deepEqual(document.servers, [{ url }]);
  const again = await fetch(`${url}/openapi.json`, { headers: { "if-none-match": openapi.headers.get("etag") ?? "" } });
  assert.equal(again.status, 304);

  const page = await fetch(`${url}/docs`);
  assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'self';/);
  const html = await page.text();
  // The targets of problems.
  assert.ok(html.includes('id="users.get:missing"'));
  const inline = /<[^>]+ (?:style|on[a-z]+)=|<style|<script>/.exec(html);
  assert.equal(inline, null, "nothing inline: the page's own policy would refuse it");
  const addresses = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1] ?? "");
  assert.deepEqual(addresses.filter((address) => /^(?:\w+:)?\/\//.test(address)), [], "nothing from elsewhere");
  const ids = new Set([...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]));
  const anchors = addresses.filter((address) => address.startsWith("#")).map((address) => address.slice(1));
  assert.deepEqual(anchors.filter((anchor) => !ids.has(anchor)), [], "every link leads somewhere");
  for (const asset of addresses.filter((address) => address.startsWith("docs/"))) {
    assert.equal((await fetch(`${url}/${asset}`)).status, 200, asset);
  }
  for (const path of ["/docs", "/openapi.json"]) {
    const head = await fetch(`${url}${path}`, { method: "HEAD" });
    assert.equal(head.status, 200);
    const post = await fetch(`${url}${path}`, { method: "POST" });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get("allow"), "GET, HEAD");
  }
  assert.equal((await fetch(`${url}/docs/nothing`)).status, 404);
});
