// Sessions of the generated client with tokens that are kept: pages that are loaded again, and tabs beside each other.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { email, service, texts, tokens, signedIn, times, codeOf, clock, gate, locks, withoutLocks } from "./session.js";

test("tokens: a page that is loaded again goes on where the last one was", async () => {
  const { storage } = texts();
  await signedIn(storage);
  service.expire();
  const { client } = tokens(storage);
  assert.equal((await client.auth.me.query()).email, email);
});

test("tokens: a storage may answer later", async () => {
  const { storage: soon } = texts();
  const later = <A extends string[], R>(work: (...values: A) => R) => async (...values: A) => {
    await new Promise(setImmediate);
    return work(...values);
  };
  const storage = { getItem: later(soon.getItem), setItem: later(soon.setItem), removeItem: later(soon.removeItem) };
  const { client, session } = await signedIn(storage);
  service.expire();
  await times(10, () => client.auth.me.query());
  assert.equal(service.count("auth.refresh"), 1);
  await session.signOut();
  assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
});

test("tokens: what is no token in the storage is nobody", async () => {
  const { kept, storage } = texts();
  await signedIn(storage);
  for (const text of ["", "{", "null", "7", "[]", '{"accessToken":"a"}']) {
    for (const key of kept.keys()) kept.set(key, text);
    assert.equal(await codeOf(tokens(storage).client.auth.me.query()), "UNAUTHORIZED", text);
    assert.equal(service.calls.at(-1)?.by, "nobody");
  }
});

/** Two tabs whose token is about to expire, and 20 calls in each. */
async function twoTabs(t: TestContext) {
  const advance = clock(t);
  const { storage } = texts();
  const tabs = [await signedIn(storage), tokens(storage)];
  advance(0.23);
  await Promise.all(tabs.map(({ client }) => times(20, () => client.auth.me.query())));
  return tabs;
}

test("tokens: tabs refresh once", async (t) => {
  locks(t);
  await twoTabs(t);
  assert.equal(service.count("auth.refresh"), 1);
});

test("tokens: tabs of a browser without locks refresh once each, and nobody is signed out", async (t) => {
  withoutLocks(t);
  const tabs = await twoTabs(t);
  assert.equal(service.count("auth.refresh"), 2);
  service.expire();
  for (const { client, ends } of tabs) {
    await client.auth.me.query();
    assert.equal(ends(), 0);
  }
});

test("tokens: a call that was long under way is repeated with a token that is fresh", async (t) => {
  const advance = clock(t);
  const { client, ends } = await signedIn();
  const { promise, release } = gate();
  service.mishap = () => ({ late: promise });
  service.expire();
  const slow = client.auth.me.query();
  while (service.count("auth.me") === 0) await new Promise(setImmediate);
  service.mishap = () => undefined;
  await client.auth.me.query();
  advance(1);
  service.expire();
  release();
  assert.equal((await slow).email, email);
  assert.deepEqual([service.count("auth.refresh"), ends()], [2, 0]);
});

test("tokens: who signs out in one tab has signed out in all", async (t) => {
  locks(t);
  const { storage } = texts();
  const one = await signedIn(storage);
  const other = tokens(storage);
  await other.client.auth.me.query();
  await one.session.signOut();
  assert.equal(await codeOf(other.client.auth.me.query()), "UNAUTHORIZED");
  assert.deepEqual([service.calls.at(-1)?.by, one.ends(), other.ends()], ["nobody", 0, 1]);
});
