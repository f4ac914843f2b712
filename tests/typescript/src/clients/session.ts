// What the tests of sessions have in common: an imitation of the service for each, pages that are signed in to it, and
// runtimes that have less than Node.

import assert from "node:assert/strict";
import { afterEach, beforeEach, type TestContext } from "node:test";
import { TRPCClientError } from "@trpc/client";
import { createClient, createSession, type AppRouter, type PostId, type TokenStorage } from "@onefold/testbed";
import { Imitation, PASSWORD } from "../imitation.js";

export const email = "ada@example.com";
export const id = "01890a5d-ac96-774b-bcce-b302099a8057" as PostId;

export let service: Imitation;
beforeEach(async () => {
  service = await new Imitation().start();
});
afterEach(() => service.stop());

/** Something like `localStorage`. */
export function texts() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
    removeItem: (key: string) => void kept.delete(key),
  } satisfies TokenStorage;
  return { kept, storage };
}

/** A page with a session of tokens. */
export function tokens(storage?: TokenStorage) {
  let ends = 0;
  const session = createSession({ url: service.url, keep: "tokens", storage, onEnd: () => void (ends += 1) });
  return { session, client: createClient({ url: service.url, fetch: session.fetch }), ends: () => ends };
}

/** A page that somebody has signed in to. */
export async function signedIn(storage?: TokenStorage) {
  const page = tokens(storage);
  await page.session.signIn({ email, password: PASSWORD });
  return page;
}

export const times = <T>(count: number, call: () => Promise<T>) => Promise.all(Array.from({ length: count }, call));

/** The code of a call that must fail; none when there was no answer. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError);
  return (error as TRPCClientError<AppRouter>).data?.code;
}

/** Puts the clock forward or back. */
export function clock(t: TestContext): (hours: number) => void {
  const { now } = Date;
  let offset = 0;
  t.mock.method(Date, "now", () => now() + offset);
  return (hours) => void (offset += hours * 3_600_000);
}

/** Something to wait for. */
export function gate() {
  let release = () => {};
  const promise = new Promise<void>((resolve) => (release = resolve));
  return { promise, release };
}

/** Gives Node what browsers have. Tabs are sessions with one storage. */
export function locks(t: TestContext): void {
  const last = new Map<string, Promise<unknown>>();
  const request = (name: string, work: () => Promise<unknown>) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    return turn;
  };
  navigator(t, { locks: { request } });
}

export const withoutLocks = (t: TestContext): void => navigator(t, {});

function navigator(t: TestContext, value: object): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { configurable: true, value });
  t.after(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, "navigator");
    else Object.defineProperty(globalThis, "navigator", before);
  });
}

/** Takes classes and functions from the runtime, as some have fewer: "AbortSignal.timeout". */
export function without(t: TestContext, ...names: string[]): void {
  for (const name of names) {
    const [first = "", second] = name.split(".");
    const [at, key] = second === undefined ? [globalThis, first] : [Reflect.get(globalThis, first) as object, second];
    const before = Object.getOwnPropertyDescriptor(at, key);
    assert.ok(before !== undefined && Reflect.deleteProperty(at, key), name);
    t.after(() => Object.defineProperty(at, key, before));
  }
}

/** What React Native and other runtimes do not have, as far as Node's own `fetch` does without it. */
export const LESS = ["AbortSignal.timeout", "AbortSignal.any", "Request"];
