// What must not sign anybody in, and must not link anything.

import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { Browser, TestServer, somebody } from "./test-server.js";
import { type Lies, unsigned } from "./provider.js";

let server: TestServer;

before(async () => {
  server = await TestServer.open();
});
beforeEach(() => {
  server.acme.lies = {};
});
after(() => server.close());

/** Nobody is signed in, and the browser has no session's cookie. */
async function isNobody(browser: Browser): Promise<void> {
  assert.equal(await browser.me(), undefined);
  assert.deepEqual([...browser.cookies(server.origin).keys()].filter((name) => name !== "onefold-sign-in-local"), []);
}

const EXPIRED = "/sign-in#error=expired";

test("a state counts once", async () => {
  const browser = new Browser(server);
  const callback = await browser.to("acme", somebody(true));
  assert.equal(await browser.back(callback), "/welcome");
  assert.equal(await browser.back(callback), EXPIRED);
  // Nor after an attempt that failed.
  const other = new Browser(server);
  const failed = await other.to("acme", somebody(true));
  const wrong = new URL(failed);
  wrong.searchParams.set("code", "another");
  assert.equal(await other.back(wrong), "/welcome#error=refused");
  assert.equal(await other.back(failed), EXPIRED);
  await isNobody(other);
});

test("a state is its browser's", async () => {
  const [attacker, victim] = [new Browser(server), new Browser(server)];
  const callback = await attacker.to("acme", somebody(true));
  assert.equal(await victim.back(callback), "/welcome#error=expired");
  await isNobody(victim);
  // Even of one that has begun a flow of its own.
  await victim.to("acme", somebody(true));
  assert.equal(await victim.back(await attacker.to("acme", somebody(true))), "/welcome#error=expired");
  await isNobody(victim);
});

test("a state that nobody gave is none", async () => {
  const browser = new Browser(server);
  const callback = await browser.to("acme", somebody(true));
  for (const state of [null, "", "x", "A".repeat(43)]) {
    const bent = new URL(callback);
    if (state === null) bent.searchParams.delete("state");
    else bent.searchParams.set("state", state);
    assert.equal(await browser.back(bent), EXPIRED);
  }
  const twice = new URL(callback);
  twice.searchParams.append("state", "x");
  assert.equal((await browser.visit(twice)).status, 400);
  await isNobody(browser);
});

test("a code is its flow's", async () => {
  const [attacker, victim] = [new Browser(server), new Browser(server)];
  const stolen = (await victim.to("acme", somebody(true))).searchParams.get("code") ?? "";
  const own = await attacker.to("acme", somebody(true));
  own.searchParams.set("code", stolen);
  assert.equal(await attacker.back(own), "/welcome#error=refused");
  await isNobody(attacker);
  // Two flows of one browser are not mixed either.
  const [one, two] = [await victim.to("acme", somebody(true)), await victim.to("acme", somebody(true))];
  one.searchParams.set("code", two.searchParams.get("code") ?? "");
  assert.equal(await victim.back(one), "/welcome#error=refused");
  await isNobody(victim);
});

test("an answer is its provider's", async () => {
  const browser = new Browser(server);
  // Its own state and code, at the address of another provider.
  const callback = await browser.to("acme", somebody(true));
  assert.equal(await browser.back(callback.href.replace("/callback/acme", "/callback/other")), "/welcome#error=refused");
  for (const wrong of [server.other.issuer, "https://accounts.google.com", `${server.acme.issuer}/`, null]) {
    server.acme.lies = {
      redirect: (address) => {
        if (wrong === null) address.searchParams.delete("iss");
        else address.searchParams.set("iss", wrong);
      },
    };
    assert.equal(await browser.signIn("acme", somebody(true)), "/welcome#error=refused", String(wrong));
  }
  await isNobody(browser);
});

test("a provider that lies signs nobody in", async () => {
  const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signed = (token: string, kid: string) => {
    const [head, payload] = token.split(".");
    const header = { ...JSON.parse(Buffer.from(head ?? "", "base64url").toString()), kid };
    const message = `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${payload}`;
    return `${message}.${createSign("RSA-SHA256").update(message).sign(stranger.privateKey, "base64url")}`;
  };
  const lies: Record<string, Lies> = {
    "another nonce": { claims: (claims) => (claims["nonce"] = "another") },
    "no nonce": { claims: (claims) => delete claims["nonce"] },
    "another audience": { claims: (claims) => (claims["aud"] = "another") },
    "another party": { claims: (claims) => (claims["azp"] = "another") },
    "several audiences": { claims: (claims) => (claims["aud"] = ["onefold", "another"]) },
    "another issuer": { claims: (claims) => (claims["iss"] = server.other.issuer) },
    expired: { claims: (claims) => (claims["exp"] = 1_700_000_000) },
    "of the future": { claims: (claims) => (claims["iat"] = 4_000_000_000) },
    "another subject in UserInfo": { userInfo: (said) => (said["sub"] = "another") },
    "another access token": { claims: (claims) => (claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA") },
    none: { idToken: (token) => unsigned(token, "none") },
    HS256: { idToken: (token) => unsigned(token, "HS256") },
    "no signature": { idToken: (token) => unsigned(token, "RS256") },
    "another's key under a known name": { idToken: (token) => signed(token, "k1") },
    "an unknown key": { idToken: (token) => signed(token, "k2") },
    "no token at all": { idToken: () => "token" },
  };
  for (const [what, lie] of Object.entries(lies)) {
    server.acme.lies = lie;
    const browser = new Browser(server);
    assert.equal(await browser.signIn("acme", somebody(true)), "/welcome#error=refused", what);
    await isNobody(browser);
  }
});

test("whoever says no is not signed in", async () => {
  const browser = new Browser(server);
  const denied = await browser.to("acme", somebody(true));
  denied.searchParams.delete("code");
  denied.searchParams.set("error", "access_denied");
  assert.equal(await browser.back(denied), "/welcome#error=denied");
  await isNobody(browser);
});

test("a browser is sent to pages of the service only", async () => {
  const start = `${server.origin}/oauth/start?provider=acme&return_to=`;
  for (const page of ["https://evil.example", "//evil.example", "/\\evil.example", "@evil.example", " ", "/a#b", "/\r\nx: y"]) {
    const { status, location } = await new Browser(server).visit(start + encodeURIComponent(page));
    assert.deepEqual([status, location], [400, null], page);
  }
  for (const query of ["", "?provider=nobody", "?provider=acme&provider=other"]) {
    assert.equal((await new Browser(server).visit(`${server.origin}/oauth/start${query}`)).status, 400, query);
  }
});

test("the flow's cookie is out of reach of scripts and other sites, and short-lived", async () => {
  const { headers } = await new Browser(server).visit(`${server.origin}/oauth/start?provider=acme`);
  const [cookie = ""] = headers.getSetCookie();
  for (const part of ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"]) assert.ok(cookie.includes(part), cookie);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
});

test("two tabs do not disturb each other", async () => {
  const browser = new Browser(server);
  const person = somebody(true);
  const [one, two] = [await browser.to("acme", person, "/one"), await browser.to("acme", person, "/two")];
  assert.equal(await browser.back(one), "/one");
  assert.equal(await browser.back(two), "/two");
});

test("another site has nobody link an account", async () => {
  const browser = new Browser(server);
  await browser.signIn("acme", somebody(true));
  const link = (headers: Record<string, string>) =>
    browser.visit(`${server.service.url}/oauth.link`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ provider: "other" }),
    });
  const csrf = (await link({ origin: server.origin })).headers.get("x-csrf-token") ?? "";
  const own = { origin: server.origin, "x-csrf-token": csrf };
  assert.equal((await link(own)).status, 200);
  for (const headers of [{}, { origin: server.origin }, { "x-csrf-token": csrf }, { ...own, origin: "https://evil.example" }]) {
    assert.equal((await link(headers)).status, 403, JSON.stringify(headers));
  }
  // Nor does a link: `oauth.start` signs in, whoever is signed in already.
  const attacker = somebody(true);
  assert.equal(await browser.signIn("other", attacker), "/welcome");
  assert.equal((await browser.me())?.email, attacker.email);
  assert.deepEqual(await browser.linked(), ["other"]);
});

test("a session that has ended links nothing any more", async () => {
  const browser = new Browser(server);
  const [person, other] = [somebody(true), somebody(true)];
  await browser.signIn("acme", person);
  server.other.person = other;
  const { data } = await browser.call("oauth.link", { provider: "other", returnTo: "/profile" });
  const callback = await browser.follow((data as { url: string }).url, `${server.origin}/oauth/callback/`);
  assert.equal((await browser.call("auth.logout", {})).status, 200);
  assert.equal(await browser.back(callback), "/profile#error=expired");
  await browser.signIn("acme", person);
  assert.deepEqual(await browser.linked(), ["acme"]);
});

test("nobody links or unlinks without being signed in", async () => {
  const nobody = new Browser(server);
  for (const procedure of ["oauth.link", "oauth.unlink"]) {
    assert.equal((await nobody.call(procedure, { provider: "acme" })).code, "UNAUTHORIZED");
  }
  const administrator = await server.administer("oauth.link", { provider: "acme" });
  assert.equal(administrator.failure, "noSession", "an operator has no account");
});
