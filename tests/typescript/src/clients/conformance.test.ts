// The second service, examples/conformance.rs: the same rooms serve any procedures.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import type { TRPCBuiltRouter, TRPCMutationProcedure, TRPCQueryProcedure } from "@trpc/server";
import type { ErrorData } from "@onefold/testbed";
import { ROOT, startProgram } from "../service.js";

type Query<Input, Output> = TRPCQueryProcedure<{ input: Input; output: Output; meta: unknown }>;
type Mutation<Input, Output> = TRPCMutationProcedure<{ input: Input; output: Output; meta: unknown }>;

/** The service's type, as somebody writes it down who has only its description. */
type Router = TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: { message: string; code: number; data: ErrorData }; transformer: false },
  {
    flaky: { once: Query<{ key: string }, { attempts: number }> };
    greet: { hello: Query<{ name: string }, { message: string }> };
    health: { ping: Query<undefined, string> };
    me: { get: Query<undefined, { user: string }> };
    notes: {
      add: Mutation<{ title: string }, { ok: boolean; title: string }>;
      get: Query<{ id: string }, { title: string }>;
      touch: Mutation<undefined, undefined>;
    };
    slow: { wait: Query<{ ms: number }, { ms: number }> };
  }
>;

let service: Awaited<ReturnType<typeof startProgram>>;
before(async () => {
  const program = process.env["ONEFOLD_CONFORMANCE"] ?? join(ROOT, "target/debug/examples/conformance");
  service = await startProgram(program, ["--port", "0"]);
});
after(() => service.stop());

const client = (authorization?: string) =>
  createTRPCClient<Router>({
    links: [httpLink({ url: service.url, headers: authorization === undefined ? {} : { authorization } })],
  });

async function errorOf(call: Promise<unknown>) {
  const error: unknown = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError);
  const { message, data } = error as TRPCClientError<Router>;
  return { message, code: data?.code, httpStatus: data?.httpStatus, path: data?.path };
}

test("greet.hello", async () => {
  assert.deepEqual(await client().greet.hello.query({ name: "Ada & Öl" }), { message: "Hello Ada & Öl" });
});

test("health.ping", async () => {
  assert.equal(await client().health.ping.query(), "pong");
});

test("notes are kept, and those that are not there are missing", async () => {
  assert.deepEqual(await client().notes.add.mutate({ title: "milk" }), { ok: true, title: "milk" });
  assert.deepEqual(await client().notes.get.query({ id: "milk" }), { title: "milk" });
  assert.deepEqual(await errorOf(client().notes.get.query({ id: "eggs/1%" })), {
    message: "no note eggs/1%",
    code: "NOT_FOUND",
    httpStatus: 404,
    path: "notes.get",
  });
});

test("notes.touch takes nothing and says nothing", async () => {
  assert.equal(await client().notes.touch.mutate(), undefined);
});

test("me.get knows one token", async () => {
  assert.deepEqual(await client("Bearer good").me.get.query(), { user: "ada" });
  assert.equal((await errorOf(client().me.get.query())).code, "UNAUTHORIZED");
  assert.equal((await errorOf(client("Bearer bad").me.get.query())).code, "UNAUTHORIZED");
});

test("slow.wait can be left", async () => {
  assert.deepEqual(await client().slow.wait.query({ ms: 20 }), { ms: 20 });
  const started = Date.now();
  await assert.rejects(client().slow.wait.query({ ms: 5_000 }, { signal: AbortSignal.timeout(50) }));
  assert.ok(Date.now() - started < 2_000);
});

test("flaky.once fails at the first call with a key", async () => {
  const key = crypto.randomUUID();
  const first = await errorOf(client().flaky.once.query({ key }));
  assert.deepEqual([first.code, first.httpStatus], ["SERVICE_UNAVAILABLE", 503]);
  assert.deepEqual(await client().flaky.once.query({ key }), { attempts: 2 });
});
