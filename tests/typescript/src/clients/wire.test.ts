// What travels, and what the official client makes of it: texts, nothing at all, faults, cancellation.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import { createClient, failureOf, withEnvelopes, type AppRouter, type ErrorData, type PostId, type UserId } from "@onefold/testbed";
import { startService, type Service } from "../service.js";

let service: Service;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const client = () => createClient({ url: service.url, token: service.administrator });

/** What `error.data` holds after a call that must fail. */
async function dataOf(call: Promise<unknown>): Promise<ErrorData> {
  const error: unknown = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError);
  return (error as TRPCClientError<AppRouter>).data ?? assert.fail("no error.data");
}

/** A call as somebody makes it who has no compiler. */
const untyped = (domain: string, name: string, method: "query" | "mutate", input?: unknown): Promise<unknown> => {
  const anything = client() as unknown as {
    [domain: string]: { [name: string]: { [method: string]: (input: unknown) => Promise<unknown> } };
  };
  return anything[domain]?.[name]?.[method]?.(input) ?? assert.fail("no such method");
};

/** Notes the requests that a client makes. */
function recorder() {
  const requests: { method: string; url: string; body: string | null; type: string | null }[] = [];
  const recorded: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    const body = typeof init?.body === "string" ? init.body : null;
    requests.push({ method: init?.method ?? "GET", url: String(input), body, type: headers.get("content-type") });
    return fetch(input, init);
  };
  return { requests, recorded };
}

test("texts of every kind come back as they were sent, in bodies and in addresses", async () => {
  const texts = ["plus + and %2B, percent % and %25", 'quotes " \\ / \b\t', "&input={}#?=;,", "Gruß 🍰 ‮ ذ 日本", "e\u0301 é", "\u0000", "\u2028"];
  for (const text of texts) {
    const post = await client().posts.create.mutate({ title: text, body: text });
    assert.equal(post.title, text);
    assert.equal((await client().posts.get.query({ id: post.id })).body, text);
    // A query that fails says the text back, decoded from the address.
    const data = await dataOf(client().posts.get.query({ id: text as PostId }));
    assert.deepEqual([data.code, data.fields?.[0]?.path], ["BAD_REQUEST", "id"]);
  }
});

test("a procedure's name may be percent-encoded", async () => {
  for (const path of ["health.ping", "health%2Eping", "%68ealth.ping"]) {
    const response = await fetch(`${service.url}/${path}`);
    assert.deepEqual(await response.json(), { result: { data: "pong" } });
  }
});

test("a mutation without output is an envelope without data, and `undefined` to the client", async () => {
  const { id } = await client().posts.create.mutate({ title: "a", body: "b" });
  const answers: string[] = [];
  const listening = createClient({
    url: service.url,
    token: service.administrator,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      answers.push(await response.clone().text());
      return response;
    },
  });
  assert.equal(await listening.posts.delete.mutate({ id }), undefined);
  assert.deepEqual(answers.map((answer) => JSON.parse(answer) as unknown), [{ result: {} }]);
});

test("a query without input has no parameter, one whose input may be left out neither", async () => {
  const { requests, recorded } = recorder();
  const recording = createClient({ url: service.url, token: service.administrator, fetch: recorded });
  await recording.health.ping.query();
  await recording.users.list.query();
  await recording.users.list.query({});
  assert.deepEqual(
    requests.map(({ method, url }) => [method, url.slice(service.url.length)]),
    [["GET", "/health.ping"], ["GET", "/users.list"], ["GET", "/users.list?input=%7B%7D"]],
  );
});

test("methodOverride sends queries as POST, also those without input", async () => {
  const { requests, recorded } = recorder();
  const posting = createTRPCClient<AppRouter>({
    links: [
      httpLink({
        url: service.url,
        methodOverride: "POST",
        fetch: recorded as NonNullable<Parameters<typeof httpLink>[0]["fetch"]>,
        headers: { authorization: `Bearer ${service.administrator}` },
      }),
    ],
  });
  assert.equal(await posting.health.ping.query(), "pong");
  await posting.users.list.query({ limit: 1 });
  assert.deepEqual(requests.map(({ method, body }) => [method, body]), [["POST", null], ["POST", '{"limit":1}']]);
});

test("every fault of an input is told at once, with its path", async () => {
  const data = await dataOf(untyped("users", "create", "mutate", { email: "ada", name: "", age: 151 }));
  assert.deepEqual([data.code, data.httpStatus, data.path], ["BAD_REQUEST", 400, "users.create"]);
  assert.deepEqual(data.fields?.map((field) => field.path).sort(), ["age", "email", "name"]);
  assert.ok(data.fields.every((field) => field.message.length > 0));
  assert.equal(data.failure, undefined);
});

test("what the compiler refuses, the service refuses as well", async () => {
  const refused: [string, string, "query" | "mutate", unknown][] = [
    ["users", "get", "query", undefined],
    ["users", "get", "query", { id: "ada" }],
    ["users", "get", "query", { id: 7 }],
    ["users", "get", "query", { id: null }],
    ["users", "create", "mutate", { email: "ada@example.com" }],
    ["users", "create", "mutate", { email: "ada@example.com", name: "Ada", isAdmin: true }],
    ["users", "update", "mutate", { id: "01890a5d-ac96-774b-bcce-b302099a8057", name: null }],
    ["users", "list", "query", { sort: "shoeSize" }],
    ["health", "ping", "query", { loud: true }],
  ];
  for (const [domain, name, method, input] of refused) {
    const data = await dataOf(untyped(domain, name, method, input));
    assert.deepEqual([data.code, data.path], ["BAD_REQUEST", `${domain}.${name}`], JSON.stringify(input));
  }
});

test("a mutation cannot be had as a query, nor what is not there", async () => {
  const asQuery = await dataOf(untyped("users", "create", "query", {}));
  assert.deepEqual([asQuery.code, asQuery.httpStatus], ["METHOD_NOT_SUPPORTED", 405]);
  const nothing = await dataOf(untyped("users", "promote", "mutate", {}));
  assert.deepEqual([nothing.code, nothing.httpStatus, nothing.path], ["NOT_FOUND", 404, "users.promote"]);
});

test("a procedure of two words is called as TypeScript has names, and not as Rust has them", async () => {
  const input = { email: "nobody@example.com" };
  await untyped("auth", "requestReset", "mutate", input);
  const old = await dataOf(untyped("auth", "request_reset", "mutate", input));
  assert.deepEqual([old.code, old.httpStatus, old.path], ["NOT_FOUND", 404, "auth.request_reset"]);
});

test("a forged cursor is refused", async () => {
  const data = await dataOf(untyped("users", "list", "query", { cursor: "AAAA" }));
  assert.deepEqual([data.code, data.httpStatus], ["BAD_REQUEST", 400]);
});

test("a token that is none, and a role that may not", async (t) => {
  const stranger = createClient({ url: service.url, token: "nonsense" });
  assert.equal((await dataOf(stranger.users.list.query())).code, "UNAUTHORIZED");
  if (!service.isOurs) return t.diagnostic("other roles need a service of its own");
  const viewer = createClient({ url: service.url, token: service.token("viewer") });
  assert.ok((await viewer.users.list.query()).items);
  const { code, httpStatus } = await dataOf(viewer.posts.create.mutate({ title: "a", body: "b" }));
  assert.deepEqual([code, httpStatus], ["FORBIDDEN", 403]);
});

test("a call that is aborted ends, before it is sent and after", async () => {
  const before = AbortSignal.abort();
  const error: unknown = await client().health.ping.query(undefined, { signal: before }).catch((error: unknown) => error);
  assert.ok(error instanceof TRPCClientError && error.cause?.name === "AbortError");

  const later = new AbortController();
  const call = client().users.list.query({ limit: 100 }, { signal: later.signal });
  later.abort();
  await assert.rejects(call, (error) => error instanceof TRPCClientError && error.cause?.name === "AbortError");
  // The service takes no harm from callers that leave.
  assert.equal(await client().health.ping.query(), "pong");
});

test("failureOf knows one procedure's failures and nothing else", async () => {
  const id = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;
  const error: unknown = await client().users.get.query({ id }).catch((error: unknown) => error);
  assert.deepEqual(failureOf("users.get", error), { type: "missing", value: id });
  assert.equal(failureOf("posts.get", error), undefined, "another procedure's");
  assert.equal(failureOf("users.get", new Error("missing")), undefined, "another error");
  assert.equal(failureOf("users.get", undefined), undefined);
  const invalid: unknown = await untyped("users", "get", "query", {}).catch((error: unknown) => error);
  assert.equal(failureOf("users.get", invalid), undefined, "a fault that any procedure can have");
  const unreachable: unknown = await createClient({ url: "http://127.0.0.1:9" }).users.get.query({ id }).catch((error: unknown) => error);
  assert.equal(failureOf("users.get", unreachable), undefined, "no answer at all");
});

test("what a gateway refuses by itself is an error like every other", async () => {
  const refusals: [number, string, string, string][] = [
    [401, '{"message":"Unauthorized"}', "UNAUTHORIZED", "Unauthorized"],
    [403, '{"message":"Forbidden"}', "FORBIDDEN", "Forbidden"],
    [413, '{"message":"Request Entity Too Large"}', "PAYLOAD_TOO_LARGE", "Request Entity Too Large"],
    [429, '{"message":"Too Many Requests"}', "TOO_MANY_REQUESTS", "Too Many Requests"],
    [431, "", "BAD_REQUEST", "The gateway answered with 431."],
    [500, '{"message":null}', "INTERNAL_SERVER_ERROR", "The gateway answered with 500."],
    [502, "<html>Bad gateway</html>", "BAD_GATEWAY", "The gateway answered with 502."],
    [503, '"down"', "SERVICE_UNAVAILABLE", "The gateway answered with 503."],
    [504, '{"message":"Endpoint request timed out"}', "GATEWAY_TIMEOUT", "Endpoint request timed out"],
    [507, "[", "INTERNAL_SERVER_ERROR", "The gateway answered with 507."],
  ];
  let next = 0;
  const gateway = createServer((_, response) => {
    const [status, body] = refusals[next] ?? [500, ""];
    response.writeHead(status, { "apigw-requestid": "g1", "retry-after": "7" }).end(body);
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/trpc`;
  const fetching = withEnvelopes();
  const clients = [createClient({ url }), createTRPCClient<AppRouter>({ links: [httpLink({ url, fetch: fetching })] })];
  try {
    for (const [status, , code, message] of refusals) {
      for (const client of clients) {
        const error: unknown = await client.health.ping.query().catch((error: unknown) => error);
        assert.ok(error instanceof TRPCClientError);
        assert.deepEqual([error.message, error.data], [message, { code, httpStatus: status, requestId: "g1" }]);
        assert.equal((error.meta?.["response"] as Response).headers.get("retry-after"), "7");
      }
      next += 1;
    }
  } finally {
    gateway.closeAllConnections();
    gateway.close();
  }
});
