// Sessions of the generated client with the service itself.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createClient, createSession } from "@onefold/testbed";
import { PASSWORD } from "../imitation.js";
import { mailedToken, startService, type Service } from "../service.js";
import { texts, times, codeOf } from "./session.js";

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
    await client.auth.verifyEmail.mutate({ token: await mailedToken(real, own), password: PASSWORD });
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
