// Somebody who is signed in proves again who they are, by an account elsewhere that is linked.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { Browser, TestServer, somebody } from "./test-server.js";

let server: TestServer;

before(async () => {
  server = await TestServer.open();
  // The first person is like no other.
  await new Browser(server).signIn("acme", somebody(true));
});
afterEach(() => void (server.acme.lies = {}));
after(() => server.close());

/** Somebody who signed in at `acme`. */
async function signedIn() {
  const [browser, person] = [new Browser(server), somebody(true)];
  assert.equal(await browser.signIn("acme", person), "/welcome");
  return { browser, person, before: await browser.device() };
}

test("the provider asks anew, and a stolen cookie is good no more", async () => {
  const { browser, person, before } = await signedIn();
  const thief = browser.stolen();
  assert.equal((await thief.me())?.email, person.email);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // the provider counts seconds
  assert.equal(await browser.reauthenticate("acme", person), "/profile");
  const now = await browser.device();
  assert.equal(now.device, before.device, "the same device");
  assert.ok((now.authenticatedAt ?? "") > (before.authenticatedAt ?? ""), `${before.authenticatedAt}, ${now.authenticatedAt}`);
  assert.equal(await thief.me(), undefined, "nor has the thief any part in it");
  const { id } = (await browser.me()) ?? assert.fail("the owner is signed in");
  const { data } = await server.administer("audit.list", { actor: id, limit: 1 });
  const [newest] = (data as { items: { action: string; detail: string | null }[] }).items;
  assert.deepEqual([newest?.action, newest?.detail], ["reauthenticated", "acme"]);
});

test("who has another account at the provider proves nothing", async () => {
  const { browser, before } = await signedIn();
  const thief = browser.stolen();
  assert.equal(await thief.reauthenticate("acme", somebody(true)), "/profile#error=other_account");
  // Nor by a provider of which none is linked.
  assert.equal(await thief.reauthenticate("other", somebody(true)), "/profile#error=other_account");
  assert.deepEqual(await browser.device(), before);
});

test("a provider that did not ask, or does not say that it did, proves nothing", async () => {
  const { browser, person, before } = await signedIn();
  const seconds = () => Math.floor(Date.now() / 1000);
  for (const time of [undefined, 0, seconds() - 3_600, seconds() + 3_600, String(seconds()), null, true]) {
    server.acme.lies = { claims: (claims) => void (claims["auth_time"] = time) };
    assert.equal(await browser.reauthenticate("acme", person), "/profile#error=not_fresh", String(time));
    assert.deepEqual(await browser.device(), before);
  }
});

test("Facebook never says when it asked", async () => {
  const { browser } = await signedIn();
  await browser.link("facebook", somebody(false));
  const refused = await browser.call("oauth.reauthenticate", { provider: "facebook" });
  assert.deepEqual([refused.status, refused.failure], [422, "neverFresh"]);
});

test("an answer counts for the session and the browser that asked for it", async () => {
  const { browser, person } = await signedIn();
  const ask = async () => {
    const { data } = await browser.call("oauth.reauthenticate", { provider: "acme", returnTo: "/profile" });
    server.acme.person = person;
    return browser.follow((data as { url: string }).url, `${server.origin}/oauth/callback/`);
  };
  // Another browser of the same person, to which somebody sent the address.
  const elsewhere = new Browser(server);
  await elsewhere.signIn("acme", person);
  const there = await elsewhere.device();
  assert.equal(await elsewhere.back(await ask()), "/profile#error=expired");
  assert.deepEqual(await elsewhere.device(), there);
  // The session ended meanwhile, and another one began.
  const late = await ask();
  await browser.call("auth.logout", {});
  assert.equal(await browser.signIn("acme", person), "/welcome");
  const next = await browser.device();
  assert.equal(await browser.back(late), "/profile#error=expired");
  assert.deepEqual(await browser.device(), next);
});
