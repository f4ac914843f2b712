// A session calls what it is told that the service calls things: these names are no service's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@onefold/client";
import { createSession } from "@onefold/client/session";
import { error, imitation, result } from "./service.mjs";

const url = "http://service.test/trpc";
const NAMES = {
  signIn: "doors.open",
  keepField: "by",
  cookie: "biscuit",
  tokens: "tickets",
  whoField: "visitor",
  tokensField: "passes",
  accessTokenField: "day",
  refreshTokenField: "season",
  expiresInField: "seconds",
  refresh: "doors.renew",
  ended: "over",
  signOut: "doors.close",
  reauthenticate: "doors.knock",
  passwordField: "word",
};

const passes = (number) => ({ day: `day${number}`, season: `season${number}`, seconds: 900 });
const said = (calls) => calls.map(({ procedure, body, headers }) => [procedure, body, headers.get("authorization")]);

test("by tokens: signs in, renews what is refused, proves and signs out", async () => {
  let valid = "day1";
  const { calls, fetch } = imitation(({ procedure, headers }) => {
    if (procedure === "doors.open") return result({ visitor: "ada", passes: passes(1) });
    if (procedure === "doors.renew") return result({ passes: passes(2) });
    if (procedure === "doors.knock") return result({ passes: passes(3) });
    if (procedure === "doors.close") return result(null);
    return headers.get("authorization") === `Bearer ${valid}` ? result("mine") : error(procedure, 401, "UNAUTHORIZED");
  });
  const session = createSession({ url, keep: "tokens", fetch }, NAMES);
  const client = createClient({ url, fetch: session.fetch });
  assert.equal(await session.signIn({ name: "ada" }), "ada");
  valid = "day2";
  assert.equal(await client.things.mine.query(), "mine");
  await session.reauthenticate("secret");
  valid = "day3";
  assert.equal(await client.things.mine.query(), "mine");
  await session.signOut();
  assert.deepEqual(said(calls), [
    ["doors.open", { name: "ada", by: "tickets" }, null],
    ["things.mine", undefined, "Bearer day1"],
    ["doors.renew", { season: "season1" }, null],
    ["things.mine", undefined, "Bearer day2"],
    ["doors.knock", { word: "secret" }, "Bearer day2"],
    ["things.mine", undefined, "Bearer day3"],
    ["doors.close", { season: "season3" }, null],
  ]);
});

test("by tokens: a refresh that fails with the failure of the end ends the session", async () => {
  const ends = [];
  const { fetch } = imitation(({ procedure }) => {
    if (procedure === "doors.open") return result({ visitor: "ada", passes: passes(1) });
    if (procedure === "doors.renew") return error(procedure, 401, "UNAUTHORIZED", { type: "over" });
    return error(procedure, 401, "UNAUTHORIZED");
  });
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text), removeItem: (key) => void kept.delete(key) };
  const session = createSession({ url, keep: "tokens", storage, fetch, onEnd: () => ends.push("end") }, NAMES);
  await session.signIn({});
  assert.equal(JSON.parse(kept.get(`onefold ${url}`)).refreshToken, "season1");
  await assert.rejects(createClient({ url, fetch: session.fetch }).things.mine.query());
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([ends, kept.size], [["end"], 0]);
});

test("by cookie: the CSRF token of one answer goes with the next call, and a cookie is renewed when the service says so", async () => {
  const { calls, fetch } = imitation(({ procedure }, { credentials }) => {
    assert.equal(credentials, "include");
    const data = procedure === "doors.open" ? { visitor: "ada", passes: null } : null;
    return result(data, { "x-csrf-token": "c1", ...(procedure === "things.make" ? { "onefold-renew": "1" } : {}) });
  });
  const session = createSession({ url, fetch }, NAMES);
  assert.equal(await session.signIn({}), "ada");
  await createClient({ url, fetch: session.fetch }).things.make.mutate();
  await session.reauthenticate("secret");
  await session.signOut();
  assert.deepEqual(calls.map(({ procedure, body, headers }) => [procedure, body, headers.get("x-csrf-token")]), [
    ["doors.open", { by: "biscuit" }, null],
    ["things.make", undefined, "c1"],
    ["doors.renew", {}, "c1"],
    ["doors.knock", { word: "secret" }, "c1"],
    ["doors.close", {}, "c1"],
  ]);
});

test("what proves who is calling goes to the service alone", async () => {
  const { calls, fetch } = imitation(({ procedure }) => result(procedure === "doors.open" ? { visitor: "ada", passes: passes(1) } : null));
  const session = createSession({ url, keep: "tokens", fetch }, NAMES);
  await session.signIn({});
  await session.fetch("http://elsewhere.test/things.mine", {});
  await session.fetch(`${url}/things.mine`, {});
  assert.deepEqual(calls.slice(1).map(({ headers }) => headers.get("authorization")), [null, "Bearer day1"]);
});

test("a service where nobody proves again who they are has a session without it", () => {
  for (const keep of ["cookie", "tokens"]) {
    const { fetch } = imitation(() => result(null));
    assert.equal("reauthenticate" in createSession({ url, keep, fetch }, { ...NAMES, reauthenticate: null }), false);
    assert.equal("reauthenticate" in createSession({ url, keep, fetch }, NAMES), true);
  }
});
