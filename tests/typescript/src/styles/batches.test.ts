// tRPC's batches, through the links of the official client: by GET and POST, as arrays and as lines, of many and of
// one, with bad entries among good ones.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, TRPCClientError } from "@trpc/client";
import { createClient, failureOf, type AppRouter, type ErrorData, type User, type UserId } from "@onefold/testbed";
import { startService, type Service } from "../service.js";

const NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;
/** How many calls one batch may have. */
const MAX_CALLS = 50;

let service: Service;
let ada: User;
let bob: User;

before(async () => {
  service = await startService();
  const client = createClient({ url: service.url, token: service.administrator });
  const create = (name: string) => client.users.create.mutate({ email: `${crypto.randomUUID()}@example.com`, name });
  ada = await create("Ada");
  bob = await create("Bob");
});
after(() => service.stop());

type Seen = { method: string; path: string; status: number; type: string | null };

/** A `fetch` that notes what went over the wire. */
function noting() {
  const seen: Seen[] = [];
  const fetching: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(String(input));
    const type = response.headers.get("content-type");
    seen.push({ method: init?.method ?? "GET", path: pathname, status: response.status, type });
    return response;
  };
  return { seen, fetch: fetching };
}

type LinkOptions = Parameters<typeof httpBatchLink<AppRouter>>[0];
type StreamOptions = Parameters<typeof httpBatchStreamLink<AppRouter>>[0];

function client(options: Partial<LinkOptions> = {}, token: string | undefined = service.administrator) {
  const { seen, fetch } = noting();
  const headers = { authorization: `Bearer ${token}` };
  const link = httpBatchLink<AppRouter>({ url: service.url, headers, fetch, ...options } as LinkOptions);
  return { seen, calls: createTRPCClient<AppRouter>({ links: [link] }) };
}

function streaming(options: Partial<StreamOptions> = {}) {
  const { seen, fetch } = noting();
  const headers = { authorization: `Bearer ${service.administrator}` };
  const link = httpBatchStreamLink<AppRouter>({ url: service.url, headers, fetch, ...options } as StreamOptions);
  return { seen, calls: createTRPCClient<AppRouter>({ links: [link] }) };
}

/** What `error.data` holds of a call that must fail. */
async function dataOf(call: Promise<unknown>): Promise<ErrorData> {
  const error: unknown = await call.then(() => assert.fail("it succeeded"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError, String(error));
  assert.ok(error.data !== undefined && error.data !== null, `no data: ${error.message}`);
  return error.data as ErrorData;
}

test("queries that are asked at once are one request", async () => {
  const { seen, calls: { users, health } } = client();
  const [first, second, again, pong] = await Promise.all([
    users.get.query({ id: ada.id }),
    users.get.query({ id: bob.id }),
    users.get.query({ id: ada.id }),
    health.ping.query(),
  ]);
  assert.deepEqual([first, second, again, pong], [ada, bob, ada, "pong"]);
  const path = "/trpc/users.get,users.get,users.get,health.ping";
  assert.deepEqual(seen, [{ method: "GET", path, status: 200, type: "application/json" }]);
});

test("mutations are one POST; queries as well, with methodOverride", async () => {
  const { seen, calls: { posts, users } } = client({ methodOverride: "POST" });
  const post = (title: string) => posts.create.mutate({ title, body: "At noon." });
  const made = await Promise.all([post("Lunch"), post("Tea")]);
  assert.deepEqual(made.map(({ title }) => title), ["Lunch", "Tea"]);
  const got = await Promise.all([posts.get.query({ id: made[0].id }), users.get.query({ id: ada.id })]);
  assert.deepEqual(got, [made[0], ada]);
  assert.deepEqual(seen.map(({ method, path, status }) => [method, path, status]), [
    ["POST", "/trpc/posts.create,posts.create", 200],
    ["POST", "/trpc/posts.get,users.get", 200],
  ]);
});

for (const [name, make] of [
  ["an array", () => client()],
  ["lines", () => streaming()],
  ["lines, by `accept`", () => streaming({ streamHeader: "accept" })],
] as const) {
  test(`one bad entry does not hurt the others: ${name}`, async () => {
    const { seen, calls: { users, posts } } = make();
    const wrong = users.get.query({ id: "no id" as UserId });
    const missing = users.get.query({ id: NOBODY });
    const good = posts.list.query({ limit: 1 });
    const [other, bad, failed] = await Promise.all([good, dataOf(wrong), missing.catch((error: unknown) => error)]);
    assert.ok(Array.isArray(other.items));
    assert.deepEqual([bad.code, bad.path, bad.fields?.map(({ path }) => path)], ["BAD_REQUEST", "users.get", ["id"]]);
    assert.deepEqual(failureOf("users.get", failed), { type: "missing", value: NOBODY });
    // Two that fail alike.
    const both = await Promise.all([dataOf(users.get.query({ id: NOBODY })), dataOf(users.get.query({ id: NOBODY }))]);
    assert.deepEqual(both.map(({ code, httpStatus }) => [code, httpStatus]), [["NOT_FOUND", 404], ["NOT_FOUND", 404]]);
    const statuses = seen.map(({ status, type }) => [status, type]);
    const expected = name === "an array" ? [207, 404] : [200, 200];
    const type = name === "an array" ? "application/json" : "application/jsonl";
    assert.deepEqual(statuses, expected.map((status) => [status, type]));
  });

  test(`a procedure that is not there fails alone: ${name}`, async () => {
    const { calls: { users, health } } = make();
    const gone = (users as unknown as Record<string, { query: (input: unknown) => Promise<unknown> }>)["gone"];
    assert.ok(gone);
    const [data, pong] = await Promise.all([dataOf(gone.query({})), health.ping.query()]);
    assert.deepEqual([data.code, data.path, pong], ["NOT_FOUND", "users.gone", "pong"]);
    // Alone, it is a batch of one on a path that no procedure has.
    assert.equal((await dataOf(gone.query({}))).code, "NOT_FOUND");
  });

  test(`more calls than a batch may have: ${name}`, async () => {
    const { seen, calls: { health } } = make();
    const outcomes = Array.from({ length: MAX_CALLS + 1 }, () => dataOf(health.ping.query()));
    const codes = new Set((await Promise.all(outcomes)).map(({ code }) => code));
    assert.deepEqual([...codes], ["PAYLOAD_TOO_LARGE"]);
    const all = await Promise.all(Array.from({ length: MAX_CALLS }, () => health.ping.query()));
    assert.ok(all.every((answer) => answer === "pong"));
    assert.deepEqual(seen.map(({ status }) => status), [413, 200]);
  });
}

test("batches of one are answered by the procedure itself", async () => {
  for (const { seen, calls: { users, health, posts } } of [client({ maxItems: 1 }), streaming({ maxItems: 1 })]) {
    const [user, pong, made] = await Promise.all([
      users.get.query({ id: ada.id }),
      health.ping.query(),
      posts.create.mutate({ title: "One", body: "Alone." }),
    ]);
    assert.deepEqual([user, pong, made.title], [ada, "pong", "One"]);
    const failed = await users.get.query({ id: NOBODY }).catch((error: unknown) => error);
    assert.deepEqual(failureOf("users.get", failed), { type: "missing", value: NOBODY });
    const paths = seen.map(({ path }) => path).sort();
    assert.deepEqual(paths, ["/trpc/health.ping", "/trpc/posts.create", "/trpc/users.get", "/trpc/users.get"]);
  }
});

test("maxURLLength parts a batch, and all are answered", async () => {
  const { seen, calls: { users } } = client({ maxURLLength: 400 });
  const ids = Array.from({ length: 12 }, (_, place) => (place % 2 === 0 ? ada.id : bob.id));
  const got = await Promise.all(ids.map((id) => users.get.query({ id })));
  assert.deepEqual(got.map(({ id }) => id), ids);
  assert.ok(seen.length > 1 && seen.length < 12, `${seen.length} requests`);
});

test("who may not is told in each call", async () => {
  const { seen, calls: { users } } = client({}, service.token("viewer"));
  const create = () => users.create.mutate({ email: "x@example.com", name: "X" });
  const codes = await Promise.all([dataOf(create()), dataOf(create())]);
  assert.deepEqual(codes.map(({ code }) => code), ["FORBIDDEN", "FORBIDDEN"]);
  const anonymous = client({ headers: {} });
  const nobody = await Promise.all([dataOf(anonymous.calls.users.list.query()), dataOf(anonymous.calls.users.list.query())]);
  assert.deepEqual(nobody.map(({ code }) => code), ["UNAUTHORIZED", "UNAUTHORIZED"]);
  assert.deepEqual([seen[0]?.status, anonymous.seen[0]?.status], [403, 401]);
});

test("the package's own client batches when it is asked to", async () => {
  const { seen, fetch } = noting();
  const batching = createClient({ url: service.url, token: service.administrator, batch: true, fetch });
  const many = await Promise.all(Array.from({ length: MAX_CALLS + 10 }, () => batching.users.get.query({ id: ada.id })));
  assert.ok(many.every(({ id }) => id === ada.id));
  assert.ok(seen.length > 1 && seen.length <= 3, `${seen.length} requests`);
  const plain = noting();
  const single = createClient({ url: service.url, token: service.administrator, fetch: plain.fetch });
  await Promise.all([single.health.ping.query(), single.health.ping.query()]);
  assert.deepEqual(plain.seen.map(({ path }) => path), ["/trpc/health.ping", "/trpc/health.ping"]);
});

test("what stands before the service is read in each call of a batch", async () => {
  const busy = async () => new Response('{"message":"Service Unavailable"}', { status: 503 });
  const batching = createClient({ url: service.url, batch: true, fetch: busy });
  const outcomes = await Promise.all([dataOf(batching.health.ping.query()), dataOf(batching.health.ping.query())]);
  assert.deepEqual(outcomes.map(({ code, httpStatus }) => [code, httpStatus]), Array(2).fill(["SERVICE_UNAVAILABLE", 503]));
});
