// What the service's tests rely on: the provider signs the person in, insists on its rules, and lies when told to.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { Jar } from "./jar.js";
import { TestProvider, UNVERIFIED, VERIFIED, unsigned } from "./provider.js";

const REDIRECT = "http://127.0.0.1:9/oauth/callback";
const VERIFIER = "a-code-verifier-of-forty-three-characters-or-more";

let provider: TestProvider;

before(async () => {
  provider = await TestProvider.start();
  provider.register(REDIRECT);
});
beforeEach(() => {
  provider.person = VERIFIED;
  provider.lies = {};
});
after(() => provider.stop());

function authorization(redirectUri = REDIRECT): string {
  const address = new URL("/auth", provider.issuer);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: provider.client.id,
    redirect_uri: redirectUri,
    scope: "openid email profile",
    state: "s",
    nonce: "n",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
  }).toString();
  return address.href;
}

async function exchange(code: string | null, verifier = VERIFIER) {
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: code ?? "",
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  });
  const credentials = Buffer.from(`${provider.client.id}:${provider.client.secret}`).toString("base64");
  const headers = { authorization: `Basic ${credentials}` };
  const answer = await fetch(`${provider.issuer}/token`, { method: "POST", body, headers });
  return (await answer.json()) as Record<string, string>;
}

async function userInfo(token: string | undefined) {
  const answer = await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()) as Record<string, unknown>;
}

const claims = (token: string | undefined) =>
  JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

test("whoever comes is signed in as the person of the moment", async () => {
  const jar = new Jar();
  for (const person of [VERIFIED, UNVERIFIED, VERIFIED]) {
    provider.person = person;
    const back = await jar.follow(authorization(), REDIRECT);
    assert.equal(back.searchParams.get("state"), "s");
    assert.equal(back.searchParams.get("iss"), provider.issuer);
    const tokens = await exchange(back.searchParams.get("code"));
    const { sub, nonce } = claims(tokens["id_token"]);
    assert.deepEqual({ sub, nonce }, { sub: person.id, nonce: "n" });
    const { id, email, isVerified, name } = person;
    assert.deepEqual(await userInfo(tokens["access_token"]), { sub: id, email, email_verified: isVerified, name });
  }
});

test("the code counts once, with its verifier, and the redirect is exact", async () => {
  const jar = new Jar();
  const first = (await jar.follow(authorization(), REDIRECT)).searchParams.get("code");
  assert.equal((await exchange(first, "another-code-verifier-of-forty-three-characters"))["error"], "invalid_grant");
  const second = (await jar.follow(authorization(), REDIRECT)).searchParams.get("code");
  assert.ok((await exchange(second))["id_token"]);
  assert.equal((await exchange(second))["error"], "invalid_grant");
  assert.equal((await jar.visit(authorization(`${REDIRECT}/more`))).status, 400);
});

test("it lies as it is told", async () => {
  provider.lies = {
    redirect: (address) => address.searchParams.set("iss", "https://other.example"),
    claims: (said) => (said["nonce"] = "another"),
    idToken: (token) => unsigned(token, "none"),
    userInfo: (said) => (said["sub"] = "somebody else"),
  };
  const back = await new Jar().follow(authorization(), REDIRECT);
  assert.equal(back.searchParams.get("iss"), "https://other.example");
  const tokens = await exchange(back.searchParams.get("code"));
  assert.equal(claims(tokens["id_token"])["nonce"], "another");
  assert.ok(tokens["id_token"]?.endsWith("."));
  assert.equal((await userInfo(tokens["access_token"]))["sub"], "somebody else");
});
