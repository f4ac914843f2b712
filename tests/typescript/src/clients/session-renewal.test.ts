// Sessions of the generated client with tokens: renewed in time, once, and when things go wrong on the way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, createSession } from "@onefold/testbed";
import { PASSWORD } from "../imitation.js";
import { email, id, service, signedIn, times, codeOf, clock, without, LESS } from "./session.js";

test("tokens: shortly before a token expires it is renewed, without a call that is refused", async (t) => {
  const advance = clock(t);
  const { client } = await signedIn();
  advance(0.22); // of a quarter of an hour
  await client.auth.me.query();
  assert.equal(service.count("auth.refresh"), 0);
  advance(0.01);
  await times(10, () => client.auth.me.query());
  assert.equal(service.count("auth.refresh"), 1);
  assert.equal(service.count("auth.me"), 11, "none was refused");
});

test("tokens: while a token still counts, a renewal that fails does no harm", async (t) => {
  const advance = clock(t);
  const { client, ends } = await signedIn();
  advance(0.23);
  service.mishap = (procedure) => (procedure === "auth.refresh" ? "never arrives" : undefined);
  assert.equal((await client.auth.me.query()).email, email);
  advance(0.03);
  assert.equal(await codeOf(client.auth.me.query()), undefined, "no answer");
  service.mishap = () => undefined;
  assert.equal((await client.auth.me.query()).email, email);
  assert.equal(ends(), 0);
});

test("tokens: renewed in a runtime that has less than browsers and Node", async (t) => {
  const { session, client, ends } = await signedIn();
  without(t, ...LESS);
  const advance = clock(t);
  service.expire();
  assert.equal((await client.auth.me.query()).email, email);
  assert.equal(service.count("auth.refresh"), 1);
  advance(0.23); // shortly before it expires, as well
  await client.posts.delete.mutate({ id }, { signal: new AbortController().signal });
  assert.deepEqual([service.count("auth.refresh"), ends()], [2, 0]);
  await session.signOut();
});

test("tokens: a renewal that gets no answer is given up in its time", async (t) => {
  const { setTimeout: timer } = globalThis;
  // The time for a renewal is over at once; the timers of `fetch` itself go on.
  const hurried = (work: () => void, ms: number) => timer(work, ms === 10_000 ? 0 : ms);
  t.mock.method(globalThis, "setTimeout", hurried as typeof setTimeout);
  let given = 0;
  const hanging: typeof fetch = (input, init) => {
    if (!String(input).includes("auth.refresh")) return fetch(input, init);
    return new Promise((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new Error(`given up ${(given += 1)}`)));
    });
  };
  const session = createSession({ url: service.url, keep: "tokens", fetch: hanging });
  await session.signIn({ email, password: PASSWORD });
  service.expire();
  const client = createClient({ url: service.url, fetch: session.fetch });
  assert.equal(await codeOf(client.auth.me.query()), undefined, "no answer");
  assert.equal(given, 2, "each attempt");
});

test("a session says at once what the runtime lacks", (t) => {
  without(t, "AbortController", "Headers");
  for (const keep of ["cookie", "tokens"] as const) {
    assert.throws(() => createSession({ url: service.url, keep }), /this runtime does not have: AbortController, Headers$/);
  }
});

test("tokens: a clock that is put back or forward signs nobody out", async (t) => {
  const advance = clock(t);
  const { client, ends } = await signedIn();
  for (const hours of [-48, 100, -1]) {
    advance(hours);
    service.expire();
    assert.equal((await client.auth.me.query()).email, email);
  }
  assert.equal(ends(), 0);
});

test("tokens: the answer to a refresh is lost", async () => {
  const { client, ends } = await signedIn();
  service.expire();
  let lost = 0;
  service.mishap = (procedure) => (procedure === "auth.refresh" && (lost += 1) === 1 ? "answer is lost" : undefined);
  await times(10, () => client.auth.me.query());
  assert.deepEqual([service.count("auth.refresh"), ends()], [2, 0]);
  service.expire();
  await client.auth.me.query();
  assert.equal(service.count("auth.refresh"), 3, "the tokens are those that count");
});

test("tokens: without a network nobody is signed out", async () => {
  const { client, ends } = await signedIn();
  service.expire();
  service.mishap = (procedure) => (procedure === "auth.refresh" ? "never arrives" : undefined);
  const codes = await times(10, () => codeOf(client.auth.me.query()));
  assert.deepEqual(new Set(codes), new Set([undefined]), "not UNAUTHORIZED: nobody knows that");
  assert.equal(service.count("auth.refresh"), 2, "one refresh for all, and one more attempt");
  service.mishap = () => undefined;
  assert.equal((await client.auth.me.query()).email, email);
  assert.equal(ends(), 0);
});

test("tokens: a service that cannot refresh now, or not so often, signs nobody out", async () => {
  const { client, ends } = await signedIn();
  for (const [status, code, attempts] of [[503, "SERVICE_UNAVAILABLE", 2], [429, "TOO_MANY_REQUESTS", 1]] as const) {
    service.expire();
    service.calls.length = 0;
    service.mishap = (procedure) => (procedure === "auth.refresh" ? status : undefined);
    assert.equal(await codeOf(client.auth.me.query()), code);
    assert.equal(service.count("auth.refresh"), attempts);
    service.mishap = () => undefined;
    assert.equal((await client.auth.me.query()).email, email);
  }
  assert.equal(ends(), 0);
});
