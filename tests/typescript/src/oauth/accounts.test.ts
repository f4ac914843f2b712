// Whose account an account elsewhere opens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { mailedToken } from "../service.js";
import { Browser, TestServer, somebody } from "./test-server.js";

let server: TestServer;

before(async () => {
  server = await TestServer.open();
});
after(() => server.close());

const PASSWORD = "seven lanterns over the harbour";

/** Somebody with a password, signed in. */
async function withPassword(): Promise<{ browser: Browser; email: string }> {
  const { name, email = "" } = somebody(true);
  const browser = new Browser(server);
  assert.equal((await browser.call("auth.register", { name, email, password: PASSWORD })).status, 200);
  const token = await mailedToken(server.service, email);
  assert.equal((await browser.call("auth.verifyEmail", { token })).status, 200);
  assert.equal((await browser.call("auth.login", { email, password: PASSWORD })).status, 200);
  return { browser, email };
}

test("the first person who ever signs in is administrator, others are guests", async () => {
  const [first, second] = [new Browser(server), new Browser(server)];
  assert.equal(await first.signIn("acme", somebody(true)), "/welcome");
  assert.equal((await first.me())?.role, "administrator");
  assert.equal(await second.signIn("acme", somebody(true)), "/welcome");
  assert.equal((await second.me())?.role, "guest");
});

test("the page learns with whom one can sign in", async () => {
  const { data } = await new Browser(server).call("oauth.providers");
  const items = ["acme", "other", "facebook"].map((id) => ({ id, label: { acme: "Acme", facebook: "Facebook" }[id] ?? id }));
  assert.deepEqual(data, { items });
});

test("a new person gets an account, and is known by it from then on", async () => {
  const person = somebody(true);
  const browser = new Browser(server);
  assert.equal(await browser.signIn("acme", person), "/welcome");
  const me = await browser.me();
  assert.deepEqual(me && { ...me, id: "", permissions: [] }, {
    id: "", email: person.email, name: person.name, isVerified: true, role: "guest", permissions: [],
  });
  assert.deepEqual(me?.permissions, [], "an administrator has yet to give a role");
  assert.deepEqual(await browser.linked(), ["acme"]);
  // The account elsewhere counts, not the address, which may become another one.
  const elsewhere = new Browser(server);
  assert.equal(await elsewhere.signIn("acme", { ...person, email: "another@example.com", isVerified: false }), "/welcome");
  assert.equal((await elsewhere.me())?.id, me?.id);
});

test("an address that the provider has not verified signs nobody in, until its owner says so", async () => {
  const browser = new Browser(server);
  const { email = "", ...person } = somebody(false);
  assert.equal(await browser.signIn("acme", { ...person, email }), "/welcome#error=confirm_email");
  assert.equal(await browser.me(), undefined);
  const token = await mailedToken(server.service, email);
  const elsewhere = await new Browser(server).call("auth.verifyEmail", { token });
  assert.equal(elsewhere.failure, "passwordNeeded", "in another browser than the one that came from there");
  assert.equal((await browser.call("auth.verifyEmail", { token })).status, 200);
  assert.equal(await browser.signIn("acme", { ...person, email }), "/welcome");
  assert.equal((await browser.me())?.isVerified, true);
  // Who comes verified needs no such mail.
  const verified = somebody(true);
  await new Browser(server).signIn("acme", verified);
  assert.deepEqual(await server.service.mails(verified.email ?? ""), []);
});

test("who made an account with somebody's address first does not keep it", async () => {
  const [attacker, owner] = [new Browser(server), new Browser(server)];
  const { email = "" } = somebody(true);
  const pretender = { ...somebody(false), email };
  assert.equal(await attacker.signIn("facebook", pretender), "/welcome#error=confirm_email");
  // A provider that vouches for the owner proves the address.
  assert.equal(await owner.signIn("acme", { ...somebody(true), email }), "/welcome");
  assert.equal((await owner.me())?.isVerified, true);
  // What the attacker left there is gone: the account at Facebook.
  assert.deepEqual(await owner.linked(), ["acme"]);
  assert.equal(await attacker.signIn("facebook", pretender), "/welcome#error=confirm_email");
  assert.equal(await attacker.me(), undefined);
  assert.equal((await server.service.mails(email))[0]?.subject, "You have an account already");
});

test("what both sides verified is linked", async () => {
  const person = somebody(true);
  const id = await server.user({ ...person, email: person.email?.toUpperCase() ?? "" }, true);
  const browser = new Browser(server);
  assert.equal(await browser.signIn("acme", person), "/welcome");
  assert.equal((await browser.me())?.id, id);
  assert.deepEqual(await browser.linked(), ["acme"]);
});

test("a letter that Unicode folds into another is another mailbox, whatever the provider says of it", async () => {
  for (const [email, odd] of [
    ["frank@example.com", "fran\u212a@example.com"],
    ["boss@example.com", "bos\u017f@example.com"],
    ["mark@example.com", "mar\uff4b@example.com"],
    ["ida@bank.example", "ida@ban\u212a.example"],
    ["ida@ångström.example", "ida@\u212bngström.example"],
  ] as const) {
    const owner = { ...somebody(true), email };
    const id = await server.user(owner, true);
    const stranger = new Browser(server);
    assert.equal(await stranger.signIn("acme", { ...somebody(true), email: odd }), "/welcome#error=no_email", odd);
    assert.equal(await stranger.me(), undefined);
    const own = new Browser(server);
    assert.equal(await own.signIn("acme", owner), "/welcome", "nobody has linked anything before");
    assert.equal((await own.me())?.id, id);
  }
});

test("an address is the same however the provider writes it", async () => {
  const person = somebody(true);
  const [local] = (person.email ?? "").split("@");
  const id = await server.user({ ...person, email: `${local}@müller.example` }, true);
  for (const [provider, email] of [
    ["acme", `${local?.toUpperCase()}@xn--mller-kva.example`],
    ["other", `${local}@MU\u0308LLER.example`],
  ] as const) {
    const browser = new Browser(server);
    assert.equal(await browser.signIn(provider, { ...somebody(true), email }), "/welcome", email);
    assert.equal((await browser.me())?.id, id, email);
  }
});

test("what one side has not verified is not linked", async () => {
  for (const [there, here] of [[false, true], [true, false], [false, false]] as const) {
    const person = somebody(there);
    await server.user(person, here);
    const browser = new Browser(server);
    // For whom nobody vouches, the page says the same as of an address that nobody has.
    const said = there ? "/welcome#error=sign_in_first" : "/welcome#error=confirm_email";
    assert.equal(await browser.signIn("acme", person), said);
    assert.equal(await browser.me(), undefined);
    // Facebook verifies nothing, whatever it might say.
    assert.equal(await browser.signIn("facebook", { ...person, isVerified: true }), "/welcome#error=confirm_email");
    assert.equal(await browser.me(), undefined);
  }
});

test("without an address there is no account", async () => {
  const browser = new Browser(server);
  const { id } = somebody(true);
  assert.equal(await browser.signIn("acme", { id }), "/welcome#error=no_email");
  assert.equal(await browser.signIn("acme", { id, email: "no address", isVerified: true }), "/welcome#error=no_email");
});

test("whoever is signed in links accounts, whatever their addresses, and signs in with each", async () => {
  const { browser } = await withPassword();
  const [one, two, three] = [somebody(false), somebody(true), somebody(false)];
  assert.equal(await browser.link("acme", one), "/profile");
  assert.equal(await browser.link("other", two), "/profile");
  assert.equal(await browser.link("facebook", three), "/profile");
  assert.equal(await browser.link("acme", one), "/profile", "twice changes nothing");
  assert.deepEqual(await browser.linked(), ["acme", "other", "facebook"]);
  const me = await browser.me();
  for (const [provider, person] of [["acme", one], ["other", two], ["facebook", three]] as const) {
    const elsewhere = new Browser(server);
    assert.equal(await elsewhere.signIn(provider, person), "/welcome");
    assert.equal((await elsewhere.me())?.id, me?.id);
  }
});

test("a program with tokens links an account as a page does", async () => {
  const { browser, email } = await withPassword();
  const { data } = await browser.call("auth.login", { email, password: PASSWORD, keep: "tokens" });
  const { accessToken } = (data as { tokens: { accessToken: string } }).tokens;
  const program = new Browser(server);
  server.acme.person = somebody(true);
  const headers = { authorization: `Bearer ${accessToken}` };
  const link = await program.call("oauth.link", { provider: "acme" }, headers);
  const callback = await program.follow((link.data as { url: string }).url, `${server.origin}/oauth/callback/`);
  assert.equal(await program.back(callback), "/sign-in");
  assert.equal(await program.me(), undefined, "linking signs nobody in");
  assert.deepEqual(await browser.linked(), ["acme"]);
});

test("an account elsewhere belongs to one user, and a user has one of each provider", async () => {
  const { browser } = await withPassword();
  const [own, taken] = [somebody(true), somebody(true)];
  await new Browser(server).signIn("acme", taken);
  assert.equal(await browser.link("acme", taken), "/profile#error=taken");
  assert.equal(await browser.link("acme", own), "/profile");
  assert.equal(await browser.link("acme", somebody(true)), "/profile#error=other_linked");
  assert.deepEqual(await browser.linked(), ["acme"]);
  // Nor by the address, when the person has a new account at the provider.
  const person = somebody(true);
  await new Browser(server).signIn("acme", person);
  const again = new Browser(server);
  assert.equal(await again.signIn("acme", { ...person, id: `${person.id}-new` }), "/welcome#error=other_linked");
  assert.equal(await again.me(), undefined);
});

test("the last way in stays", async () => {
  const browser = new Browser(server);
  await browser.signIn("acme", somebody(true));
  const unlink = (provider: string) => browser.call("oauth.unlink", { provider });
  assert.equal((await unlink("acme")).failure, "lastWay");
  assert.equal((await unlink("other")).failure, "notLinked");
  await browser.link("other", somebody(false));
  assert.equal((await unlink("acme")).status, 200);
  assert.equal((await unlink("other")).failure, "lastWay");
  assert.deepEqual(await browser.linked(), ["other"]);
});

test("whoever has a password may unlink everything", async () => {
  const { browser, email } = await withPassword();
  const person = somebody(true);
  await browser.link("acme", person);
  assert.equal((await browser.call("oauth.unlink", { provider: "acme" })).status, 200);
  assert.deepEqual(await browser.linked(), []);
  // It is nobody's again.
  const elsewhere = new Browser(server);
  await elsewhere.signIn("acme", person);
  assert.notEqual((await elsewhere.me())?.email, email);
});

test("many sign-ins of a new person at once make one account", async () => {
  const person = somebody(true);
  const browsers = Array.from({ length: 8 }, () => new Browser(server));
  const callbacks = await Promise.all(browsers.map((browser) => browser.to("acme", person)));
  const pages = await Promise.all(browsers.map((browser, at) => browser.back(callbacks[at] ?? "")));
  assert.deepEqual(new Set(pages), new Set(["/welcome"]));
  const ids = await Promise.all(browsers.map(async (browser) => (await browser.me())?.id));
  assert.equal(new Set(ids).size, 1);
});

test("the audit log tells who came in how", async () => {
  const browser = new Browser(server);
  const person = somebody(true);
  await browser.signIn("acme", person);
  await browser.link("other", somebody(true));
  await browser.call("oauth.unlink", { provider: "acme" });
  const id = (await browser.me())?.id;
  const { data } = await server.administer("audit.list", { actor: id });
  const entries = (data as { items: { action: string; detail: string | null }[] }).items;
  const told = entries.map(({ action, detail }) => `${action} ${detail}`).sort();
  assert.deepEqual(told, ["identityLinked other", "identityUnlinked acme", "registered acme", "signedIn acme"]);
});
