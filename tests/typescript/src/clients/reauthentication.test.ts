// A session of the generated client proves again who is signed in, for calls that want a sign-in of a moment ago.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { createClient, createSession, failureOf, wantsReauthentication, type Session } from "@onefold/testbed";
import { Imitation, PASSWORD } from "../imitation.js";
import { ROOT } from "../service.js";

const email = "ada@example.com";

let service: Imitation;
beforeEach(async () => {
  service = await new Imitation().start();
});
afterEach(() => service.stop());

/** A `fetch` with the cookie of a browser. */
function withCookie(): typeof fetch {
  let jar: string | undefined;
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    if (jar !== undefined) headers.set("cookie", jar);
    const response = await fetch(input, { ...init, headers });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) jar = set.split(";")[0];
    return response;
  };
}

/** Somebody who signed in, kept in each of the ways. */
const ways: { [way: string]: () => Session } = {
  cookies: () => createSession({ url: service.url, fetch: withCookie(), onEnd: () => assert.fail("it goes on") }),
  tokens: () => createSession({ url: service.url, keep: "tokens", onEnd: () => assert.fail("it goes on") }),
};

async function signedIn(begin: () => Session) {
  const session = begin();
  await session.signIn({ email, password: PASSWORD });
  return { session, client: createClient({ url: service.url, fetch: session.fetch }) };
}

for (const [way, begin] of Object.entries(ways)) {
  test(`${way}: a call that wants it is made once more, as docs/identity.md shows`, async () => {
    const { session, client } = await signedIn(begin);
    const askForPassword = async () => PASSWORD;
    service.isOld = true;
    // docs/identity.md
    const surely = async <T>(call: () => Promise<T>): Promise<T> => {
      try {
        return await call();
      } catch (error) {
        if (!wantsReauthentication(error)) throw error;
        await session.reauthenticate(await askForPassword());
        return await call();
      }
    };
    await surely(() => client.oauth.unlink.mutate({ provider: "acme" }));
    // end
    assert.equal(service.isOld, false);
    assert.equal((await client.auth.me.query()).email, email, "the next secret is kept");
    await client.oauth.unlink.mutate({ provider: "acme" });
    assert.equal(service.count("auth.reauthenticate"), 1);
  });

  test(`${way}: a wrong password is told, and leaves the session as it is`, async () => {
    const { session, client } = await signedIn(begin);
    const error: unknown = await session.reauthenticate("wrong").then(() => assert.fail("it is wrong"), (error: unknown) => error);
    assert.equal(failureOf("auth.reauthenticate", error)?.type, "wrongPassword");
    assert.equal(wantsReauthentication(error), false);
    assert.equal((await client.auth.me.query()).email, email);
  });

  test(`${way}: calls that leave with the secret before are made again`, async () => {
    const { session, client } = await signedIn(begin);
    await client.auth.me.query();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    service.mishap = async (procedure) => {
      if (procedure === "auth.reauthenticate") return { late: held };
      return undefined;
    };
    const proof = session.reauthenticate(PASSWORD);
    while (service.count("auth.reauthenticate") === 0) await new Promise(setImmediate);
    const late = client.auth.me.query();
    while (service.count("auth.me") < 2) await new Promise(setImmediate);
    release();
    await proof;
    assert.equal((await late).email, email);
  });
}

test("the example of docs/identity.md is the one above", () => {
  const source = readFileSync(join(ROOT, "tests/typescript/src/clients/reauthentication.test.ts"), "utf8");
  const [, example = assert.fail("no example")] = /\/\/ docs\/identity\.md\n(.*?) *\/\/ end\n/s.exec(source) ?? [];
  const docs = readFileSync(join(ROOT, "docs/identity.md"), "utf8");
  assert.ok(docs.includes(`\`\`\`ts\n${example.replaceAll(/^ {4}/gm, "")}\`\`\``));
});
