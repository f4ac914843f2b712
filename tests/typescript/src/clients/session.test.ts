// Sessions of the generated client: signed in by itself, with tokens and with cookies, when all goes well and when it
// does not.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test, type TestContext } from "node:test";
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError } from "@trpc/client";
import { createClient, createSession, failureOf, type AppRouter, type PostId, type TokenStorage } from "@onefold/backoffice";
import { Imitation, PASSWORD } from "../imitation.js";
import { mailedToken, startService, type Service } from "../service.js";

const email = "ada@example.com";
const id = "01890a5d-ac96-774b-bcce-b302099a8057" as PostId;

let service: Imitation;
beforeEach(async () => {
  service = await new Imitation().start();
});
afterEach(() => service.stop());

/** Something like `localStorage`. */
function texts() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
    removeItem: (key: string) => void kept.delete(key),
  } satisfies TokenStorage;
  return { kept, storage };
}

/** A page with a session of tokens. */
function tokens(storage?: TokenStorage) {
  let ends = 0;
  const session = createSession({ url: service.url, keep: "tokens", storage, onEnd: () => void (ends += 1) });
  return { session, client: createClient({ url: service.url, fetch: session.fetch }), ends: () => ends };
}

/** A page that somebody has signed in to. */
async function signedIn(storage?: TokenStorage) {
  const page = tokens(storage);
  await page.session.signIn({ email, password: PASSWORD });
  return page;
}

const times = <T>(count: number, call: () => Promise<T>) => Promise.all(Array.from({ length: count }, call));

/** The code of a call that must fail; none when there was no answer. */
async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError);
  return (error as TRPCClientError<AppRouter>).data?.code;
}

/** Puts the clock forward or back. */
function clock(t: TestContext): (hours: number) => void {
  const { now } = Date;
  let offset = 0;
  t.mock.method(Date, "now", () => now() + offset);
  return (hours) => void (offset += hours * 3_600_000);
}

/** Something to wait for. */
function gate() {
  let release = () => {};
  const promise = new Promise<void>((resolve) => (release = resolve));
  return { promise, release };
}

/** Gives Node what browsers have. Tabs are sessions with one storage. */
function locks(t: TestContext): void {
  const last = new Map<string, Promise<unknown>>();
  const request = (name: string, work: () => Promise<unknown>) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    return turn;
  };
  navigator(t, { locks: { request } });
}

const withoutLocks = (t: TestContext): void => navigator(t, {});

function navigator(t: TestContext, value: object): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { configurable: true, value });
  t.after(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, "navigator");
    else Object.defineProperty(globalThis, "navigator", before);
  });
}

/** Takes classes and functions from the runtime, as some have fewer: "AbortSignal.timeout". */
function without(t: TestContext, ...names: string[]): void {
  for (const name of names) {
    const [first = "", second] = name.split(".");
    const [at, key] = second === undefined ? [globalThis, first] : [Reflect.get(globalThis, first) as object, second];
    const before = Object.getOwnPropertyDescriptor(at, key);
    assert.ok(before !== undefined && Reflect.deleteProperty(at, key), name);
    t.after(() => Object.defineProperty(at, key, before));
  }
}

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

/** What React Native and other runtimes do not have, as far as Node's own `fetch` does without it. */
const LESS = ["AbortSignal.timeout", "AbortSignal.any", "Request"];

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

describe("with the service itself", () => {
  let real: Service;
  before(async () => {
    real = await startService();
  });
  after(() => real.stop());

  /** Somebody who has registered and signed in. `lose`: the answer to the next refresh. */
  async function registered() {
    const { kept, storage } = texts();
    const asked: string[] = [];
    let [isLost, ends] = [false, 0];
    const fetching: typeof fetch = async (input, init) => {
      asked.push(new URL(String(input)).pathname.split("/").at(-1) ?? "");
      const response = await fetch(input, init);
      if (!isLost || asked.at(-1) !== "auth.refresh") return response;
      isLost = false;
      throw new TypeError("the answer is lost");
    };
    const own = `${crypto.randomUUID()}@example.com`;
    const onEnd = () => void (ends += 1);
    const session = createSession({ url: real.url, keep: "tokens", storage, fetch: fetching, onEnd });
    const client = createClient({ url: real.url, fetch: session.fetch });
    await client.auth.register.mutate({ email: own, name: "Ada", password: PASSWORD });
    await client.auth.verify_email.mutate({ token: await mailedToken(real, own), password: PASSWORD });
    const user = await session.signIn({ email: own, password: PASSWORD });
    return {
      client,
      session,
      user,
      kept,
      count: (name: string) => asked.filter((other) => other === name).length,
      ends: () => ends,
      lose: () => void (isLost = true),
      /** The access token is none any more; the refresh token is this one, or stays. */
      expire: (refreshToken?: string) => {
        for (const [key, text] of kept) {
          const tokens = JSON.parse(text) as { refreshToken: string };
          kept.set(key, JSON.stringify({ ...tokens, accessToken: "expired", refreshToken: refreshToken ?? tokens.refreshToken }));
        }
      },
    };
  }

  test("50 calls at once with a token that does not count are one refresh, and all succeed", async () => {
    const { client, user, count, expire, ends } = await registered();
    expire();
    for (const me of await times(50, () => client.auth.me.query())) assert.deepEqual(me, user);
    assert.deepEqual([count("auth.refresh"), ends()], [1, 0]);
  });

  test("the answer to a refresh is lost", async () => {
    const { client, user, count, expire, lose, ends } = await registered();
    for (const refreshes of [2, 3]) {
      expire();
      if (refreshes === 2) lose();
      assert.deepEqual(await client.auth.me.query(), user);
      assert.deepEqual([count("auth.refresh"), ends()], [refreshes, 0]);
    }
  });

  test("a refresh token of long ago ends the session", async () => {
    const { client, kept, expire, ends } = await registered();
    const [first] = [...kept.values()].map((text) => (JSON.parse(text) as { refreshToken: string }).refreshToken);
    for (let refreshes = 0; refreshes < 2; refreshes += 1) {
      expire();
      await client.auth.me.query();
    }
    expire(first);
    assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
    assert.deepEqual([ends(), kept.size], [1, 0]);
  });

  test("who has signed out is nobody", async () => {
    const { client, session, ends, kept } = await registered();
    const copy = [...kept];
    await session.signOut();
    assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
    assert.equal(ends(), 0);
    // Also with a copy of the tokens, as soon as they have to be refreshed.
    for (const [key, text] of copy) kept.set(key, JSON.stringify({ ...JSON.parse(text), accessToken: "expired" }));
    assert.equal(await codeOf(client.auth.me.query()), "UNAUTHORIZED");
    assert.equal(kept.size, 0);
  });
});
