// The oldest version of the official client that the package takes. `types.ts` is that of the newest: `refresh.mjs` copies it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { createClient, createSession, failureOf, type UserId } from "@onefold/testbed";

const require = createRequire(import.meta.url);
const id = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;

type Manifest = { version: string; peerDependencies: Record<string, string> };
const manifest = (of: string) => JSON.parse(readFileSync(require.resolve(`${of}/package.json`), "utf8")) as Manifest;

test("this is the oldest that the package takes", () => {
  const { peerDependencies } = manifest("@onefold/testbed");
  for (const peer of ["@trpc/client", "@trpc/server"]) {
    assert.equal(peerDependencies[peer], `>=${manifest(peer).version} <12`, peer);
  }
});

test("calls and failures pass through it, single and in batches", async () => {
  const failure = { type: "missing", value: id };
  const error = { message: "No.", code: -32004, data: { code: "NOT_FOUND", httpStatus: 404, path: "users.get", requestId: "1", failure } };
  for (const batch of [false, true]) {
    const fetch = () => Promise.resolve(Response.json(batch ? [{ error }] : { error }, { status: 404 }));
    const client = createClient({ url: "http://service.invalid/trpc", batch, fetch });
    const refused: unknown = await client.users.get.query({ id }).catch((error: unknown) => error);
    assert.deepEqual(failureOf("users.get", refused), failure);
  }
});

test("a session signs in and calls", async () => {
  const asked: [string, string | null][] = [];
  const fetch = (input: unknown, init?: { headers?: HeadersInit }) => {
    asked.push([new URL(String(input)).pathname, new Headers(init?.headers).get("authorization")]);
    const tokens = { accessToken: "a", refreshToken: "r", expiresInS: 900 };
    return Promise.resolve(Response.json({ result: { data: { user: { id }, tokens } } }));
  };
  const session = createSession({ url: "http://service.invalid/trpc", keep: "tokens", fetch });
  await session.signIn({ email: "ada@example.com", password: "mauve-otter-reads-maps" });
  await createClient({ url: "http://service.invalid/trpc", fetch: session.fetch }).auth.me.query();
  assert.deepEqual(asked, [["/trpc/auth.login", null], ["/trpc/auth.me", "Bearer a"]]);
});
