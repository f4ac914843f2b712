// Sessions of the generated client with cookies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, TRPCClientError } from "@trpc/client";
import { createClient, createSession, failureOf, type AppRouter } from "@onefold/testbed";
import { PASSWORD } from "../imitation.js";
import { email, id, service, times, codeOf, clock, gate, without, LESS } from "./session.js";

/** The cookies of a browser, which Node has not: one jar for all pages. */
function browser() {
  let jar: string | undefined;
  const fetching: typeof fetch = async (input, init) => {
    assert.equal(init?.credentials, "include");
    const headers = new Headers(init.headers);
    if (jar !== undefined) headers.set("cookie", jar);
    const response = await fetch(input, { ...init, headers });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) jar = set.includes("Max-Age=0") ? undefined : set.split(";")[0];
    return response;
  };
  const page = () => {
    let ends = 0;
    const session = createSession({ url: service.url, fetch: fetching, onEnd: () => void (ends += 1) });
    return { session, client: createClient({ url: service.url, fetch: session.fetch }), ends: () => ends };
  };
  return { page };
}

/** The calls of a procedure, by whether they had a CSRF token. */
const withCsrf = (procedure: string) =>
  service.calls.filter((call) => call.procedure === procedure).map(({ csrf }) => csrf);

test("cookies: signed in, calls are made as the user; signed out, as nobody", async () => {
  const { session, client, ends } = browser().page();
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  const user = await session.signIn({ email, password: PASSWORD });
  assert.deepEqual(await client.auth.me.query(), user);
  await client.posts.delete.mutate({ id });
  await session.signOut();
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.deepEqual(service.calls.map(({ procedure, by, csrf }) => [procedure, by, csrf]), [
    ["auth.me", "nobody", false],
    ["auth.login", "nobody", false],
    ["auth.me", "cookie", false],
    ["posts.delete", "cookie", true],
    ["auth.logout", "cookie", true],
    ["auth.me", "nobody", false],
  ]);
  assert.equal(ends(), 0, "who signs out knows it");
});

test("cookies: the first call of a page that is loaded again learns its CSRF token and is repeated once", async () => {
  const { page } = browser();
  await page().session.signIn({ email, password: PASSWORD });
  const { client } = page();
  await client.posts.delete.mutate({ id });
  await client.posts.delete.mutate({ id });
  assert.deepEqual(withCsrf("posts.delete"), [false, true, true]);
});

test("cookies: the first batch of a page learns the CSRF token as well", async () => {
  for (const link of [httpBatchLink, httpBatchStreamLink]) {
    const { page } = browser();
    await page().session.signIn({ email, password: PASSWORD });
    service.calls.length = 0;
    const { session } = page();
    const client = createTRPCClient<AppRouter>({ links: [link({ url: service.url, fetch: session.fetch })] });
    await times(2, () => client.posts.delete.mutate({ id }));
    assert.deepEqual(withCsrf("posts.delete"), [false, false, true, true], link.name);
  }
});

test("cookies: a call is repeated once only, whatever the service wants", async () => {
  const { page } = browser();
  const { client, session } = page();
  await session.signIn({ email, password: PASSWORD });
  service.isNeverContent = true;
  assert.equal(await codeOf(client.posts.delete.mutate({ id })), "FORBIDDEN");
  assert.equal(service.count("posts.delete"), 2);
});

test("cookies: what a caller may not do is not tried again", async () => {
  const { page } = browser();
  const { client, session } = page();
  await session.signIn({ email, password: PASSWORD });
  await client.auth.me.query();
  service.mishap = () => 403;
  assert.equal(await codeOf(page().client.auth.me.query()), "FORBIDDEN", "and a query needs no CSRF token");
  assert.equal(await codeOf(client.posts.delete.mutate({ id })), "FORBIDDEN");
  assert.deepEqual([service.count("auth.me"), service.count("posts.delete")], [2, 1]);
});

test("cookies: many answers that ask for it are one renewal", async () => {
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  service.asksForRenewal = true;
  const renewed = new Promise<void>((resolve) => {
    service.mishap = (procedure) => void (procedure === "auth.refresh" && resolve());
  });
  await times(30, () => client.auth.me.query());
  await renewed;
  await times(10, () => client.posts.delete.mutate({ id }));
  assert.deepEqual([service.count("auth.refresh"), ends()], [1, 0]);
});

test("cookies: a renewal that fails does no harm, and is not tried at every call", async (t) => {
  const advance = clock(t);
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  service.asksForRenewal = true;
  for (const count of [1, 2]) {
    const tried = new Promise<void>((resolve) => {
      service.mishap = (procedure) => (procedure === "auth.refresh" ? (resolve(), 503) : undefined);
    });
    await client.auth.me.query();
    await tried;
    for (let calls = 0; calls < 5; calls += 1) await client.auth.me.query();
    assert.equal(service.count("auth.refresh"), count);
    advance(1);
  }
  assert.equal(ends(), 0);
});

test("cookies: renewed in a runtime that has less than browsers and Node", async (t) => {
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  without(t, ...LESS);
  service.asksForRenewal = true;
  const renewed = new Promise<void>((resolve) => {
    service.mishap = (procedure) => void (procedure === "auth.refresh" && resolve());
  });
  await client.posts.delete.mutate({ id });
  await renewed;
  await client.auth.me.query();
  assert.deepEqual([service.count("auth.refresh"), ends()], [1, 0]);
});

test("cookies: a clock that is put back does not keep a cookie from being renewed", async (t) => {
  const advance = clock(t);
  const { client, session } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  service.asksForRenewal = true;
  for (let calls = 0; calls < 20; calls += 1) {
    await client.auth.me.query();
    advance(-48);
  }
  assert.ok(service.count("auth.refresh") > 1);
});

test("cookies: a call that left with the old cookie is repeated with the new one", async () => {
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  service.asksForRenewal = true;
  const [call, renewal] = [gate(), gate()];
  service.mishap = async (procedure) => {
    if (procedure === "auth.refresh") return { late: renewal.promise };
    if (procedure === "posts.delete") await call.promise;
    return undefined;
  };
  const slow = client.posts.delete.mutate({ id });
  await client.auth.me.query();
  while (service.count("auth.refresh") === 0) await new Promise(setImmediate);
  const { answered } = service;
  call.release();
  while (service.answered === answered) await new Promise(setImmediate);
  // The refusal is on its way, the new cookie is not yet.
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  renewal.release();
  await slow;
  assert.deepEqual([service.count("posts.delete"), ends()], [3, 0], "refused, repeated, and again for the CSRF token");
});

test("cookies: when the session has ended, the application is told once", async () => {
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  service.end();
  assert.deepEqual(new Set(await times(20, () => codeOf(client.auth.me.query()))), new Set(["UNAUTHORIZED"]));
  assert.equal(await codeOf(client.posts.delete.mutate({ id })), "UNAUTHORIZED");
  assert.equal(ends(), 1);
});

test("cookies: a page that is loaded again is told as well when the session has ended", async () => {
  const { page } = browser();
  await page().session.signIn({ email, password: PASSWORD });
  const { client, ends } = page();
  await client.auth.me.query();
  service.end();
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.equal(ends(), 1);
});

test("cookies: a wrong password leaves a session as it is", async () => {
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  const error: unknown = await session.signIn({ email, password: "wrong" }).catch((error: unknown) => error);
  assert.deepEqual(failureOf("auth.login", error), { type: "wrongCredentials" });
  assert.equal((await client.auth.me.query()).email, email);
  assert.equal(ends(), 0);
});

test("cookies: without a network nobody is signed out", async () => {
  const { client, session, ends } = browser().page();
  await session.signIn({ email, password: PASSWORD });
  service.mishap = () => "never arrives";
  assert.equal(await codeOf(client.auth.me.query()), undefined);
  await assert.rejects(session.signOut(), TRPCClientError);
  service.mishap = () => undefined;
  assert.equal((await client.auth.me.query()).email, email);
  assert.equal(ends(), 0);
});
