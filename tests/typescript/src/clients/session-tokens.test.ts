// Sessions of the generated client with tokens: signed in, signed out, and at the end of a session.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError } from "@trpc/client";
import { createClient, createSession, failureOf, type AppRouter } from "@onefold/testbed";
import { PASSWORD } from "../imitation.js";
import { email, id, service, texts, tokens, signedIn, times, codeOf, gate } from "./session.js";

test("tokens: signed in, calls are made as the user; signed out, as nobody", async () => {
  const { session, client, ends } = tokens();
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  const user = await session.signIn({ email, password: PASSWORD });
  assert.equal(user.email, email);
  assert.deepEqual(await client.auth.me.query(), user);
  await client.posts.delete.mutate({ id });
  await session.signOut();
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.deepEqual(service.calls.map(({ procedure, by }) => [procedure, by]), [
    ["auth.me", "nobody"],
    ["auth.login", "nobody"],
    ["auth.me", "token"],
    ["posts.delete", "token"],
    ["auth.logout", "nobody"],
    ["auth.me", "nobody"],
  ]);
  assert.equal(ends(), 0, "who signs out knows it");
});

test("tokens: cookies play no part", async () => {
  const credentials = new Set<unknown>();
  const noting: typeof fetch = (input, init) => {
    credentials.add(init?.credentials);
    return fetch(input, init);
  };
  const session = createSession({ url: service.url, keep: "tokens", fetch: noting });
  await session.signIn({ email, password: PASSWORD });
  service.expire();
  await createClient({ url: service.url, fetch: session.fetch }).auth.me.query();
  await session.signOut();
  assert.deepEqual(credentials, new Set(["omit"]));
});

test("tokens: a wrong password is the procedure's own failure and leaves a session as it is", async () => {
  const { session, client, ends } = await signedIn();
  const error: unknown = await session.signIn({ email, password: "wrong" }).catch((error: unknown) => error);
  assert.deepEqual(failureOf("auth.login", error), { type: "wrongCredentials" });
  assert.equal(await codeOf(client.auth.login.mutate({ email, password: "wrong" })), "UNAUTHORIZED");
  assert.equal((await client.auth.me.query()).email, email);
  assert.deepEqual([service.count("auth.refresh"), ends()], [0, 0]);
});

test("tokens: 50 calls at once with an expired token are one refresh, and all succeed", async () => {
  const { client } = await signedIn();
  service.expire();
  const users = await times(50, () => client.auth.me.query());
  assert.ok(users.every((user) => user.email === email));
  assert.equal(service.count("auth.refresh"), 1);
  assert.equal(service.count("auth.me"), 100, "each is refused once and repeated once");
});

test("tokens: no token is ever part of an address", async () => {
  const { kept, storage } = texts();
  const { client, session } = await signedIn(storage);
  const secrets = new Set<string>();
  const note = () => {
    for (const text of kept.values()) {
      const { accessToken, refreshToken } = JSON.parse(text) as { accessToken: string; refreshToken: string };
      secrets.add(accessToken).add(refreshToken);
    }
  };
  note();
  service.expire();
  await client.auth.me.query();
  note();
  await session.signOut();
  assert.equal(secrets.size, 4);
  for (const { url } of service.calls) assert.ok([...secrets].every((secret) => !url.includes(secret)), url);
});

test("tokens: when the session has ended, the application is told once, and the tokens are gone", async () => {
  const { kept, storage } = texts();
  const { client, session, ends } = await signedIn(storage);
  service.end();
  assert.deepEqual(new Set(await times(20, () => codeOf(client.auth.me.query()))), new Set(["UNAUTHORIZED"]));
  assert.deepEqual([ends(), kept.size, service.count("auth.refresh"), service.count("auth.me")], [1, 0, 1, 20]);
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.deepEqual([ends(), service.count("auth.refresh")], [1, 1]);
  await session.signIn({ email, password: PASSWORD });
  assert.equal((await client.auth.me.query()).email, email);
});

test("tokens: a session whose newest token is refused has ended", async () => {
  const { kept, storage } = texts();
  const { client, ends } = await signedIn(storage);
  service.mishap = (procedure) => (procedure === "auth.me" ? 401 : undefined);
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.deepEqual([service.count("auth.me"), service.count("auth.refresh"), ends(), kept.size], [2, 1, 1, 0]);
});

test("tokens: a refresh token that the service cannot read is the end as well", async () => {
  const { client, ends } = await signedIn();
  service.expire();
  service.mishap = (procedure) => (procedure === "auth.refresh" ? 400 : undefined);
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.equal(ends(), 1);
});

test("tokens: who signs in again while the old session ends stays signed in", async () => {
  const { client, session, ends } = await signedIn();
  let refusals = 0;
  service.mishap = async (procedure) => {
    if (procedure !== "auth.me") return undefined;
    refusals += 1;
    if (refusals === 2) await session.signIn({ email, password: PASSWORD });
    return refusals <= 2 ? 401 : undefined;
  };
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
  assert.equal((await client.auth.me.query()).email, email);
  assert.equal(ends(), 0);
});

test("tokens: what an application throws in `onEnd` is not the call's fault", async (t) => {
  const session = createSession({ url: service.url, keep: "tokens", onEnd: () => { throw new Error("mine"); } });
  await session.signIn({ email, password: PASSWORD });
  service.end();
  const thrown = new Promise((resolve) => {
    const uncaught = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").once("uncaughtException", resolve);
    t.after(() => uncaught.forEach((listener) => process.on("uncaughtException", listener)));
  });
  assert.equal(await codeOf(createClient({ url: service.url, fetch: session.fetch }).auth.me.query()), "UNAUTHORIZED");
  assert.equal(((await thrown) as Error).message, "mine");
});

test("tokens: a refresh that is under way is no way back for who signs out", async () => {
  const { kept, storage } = texts();
  const { client, session, ends } = await signedIn(storage);
  service.expire();
  const { promise, release } = gate();
  service.mishap = (procedure) => (procedure === "auth.refresh" ? { late: promise } : undefined);
  const call = codeOf(client.auth.me.query());
  while (service.count("auth.refresh") === 0) await new Promise(setImmediate);
  await session.signOut();
  release();
  assert.equal(await call, "UNAUTHORIZED");
  assert.deepEqual([kept.size, ends()], [0, 0]);
});

test("tokens: signing out without a network fails, and yet the tokens are gone", async () => {
  const { kept, storage } = texts();
  const { session } = await signedIn(storage);
  service.mishap = () => "never arrives";
  await assert.rejects(session.signOut(), TRPCClientError);
  assert.equal(kept.size, 0);
});

test("tokens: links of the official client, single and in batches", async () => {
  for (const link of [httpLink, httpBatchLink, httpBatchStreamLink]) {
    const session = createSession({ url: service.url, keep: "tokens" });
    const client = createTRPCClient<AppRouter>({ links: [link({ url: service.url, fetch: session.fetch })] });
    await session.signIn({ email, password: PASSWORD });
    service.expire();
    service.calls.length = 0;
    const users = await times(3, () => client.auth.me.query());
    assert.ok(users.every((user) => user.email === email));
    assert.equal(service.count("auth.refresh"), 1, link.name);
  }
});

test("tokens: a batch in which only some calls want somebody signed in", async () => {
  for (const link of [httpBatchLink, httpBatchStreamLink]) {
    const session = createSession({ url: service.url, keep: "tokens" });
    const client = createTRPCClient<AppRouter>({ links: [link({ url: service.url, fetch: session.fetch })] });
    await session.signIn({ email, password: PASSWORD });
    service.expire();
    const [pong, user] = await Promise.all([client.health.ping.query(), client.auth.me.query()]);
    assert.deepEqual([pong, user.email], ["pong", email]);
    // What may have changed something is not repeated: the call that was refused says so, the next one succeeds.
    service.expire();
    service.calls.length = 0;
    const posting = createTRPCClient<AppRouter>({
      links: [link({ url: service.url, fetch: session.fetch, methodOverride: "POST" })],
    });
    const [, code] = await Promise.all([posting.health.ping.query(), codeOf(posting.auth.me.query())]);
    assert.deepEqual([code, service.count("health.ping")], ["UNAUTHORIZED", 1], link.name);
  }
});
