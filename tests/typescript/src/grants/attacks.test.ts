// What somebody tries who wants another person's tokens (RFC 9700 section 4), with requests that no library sends.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { startService, type Service } from "../service.js";
import { Application, CALLBACK, LOCAL, refusal } from "./application.js";
import { Person, visit } from "./person.js";

let service: Service;
let person: Person;
let application: Application;
let other: Application;

before(async () => {
  service = await startService();
  await Person.register(service, "administrator");
  person = await Person.register(service, "employee");
  [application, other] = [await Application.register(service), await Application.register(service)];
});
after(() => service.stop());

/** How an application proves who it is, in a form. */
const proof = ({ client, secret }: Application) => [["client_id", client.client_id], ["client_secret", secret ?? ""]];

/** A code that was just made, and what its rightful owner would redeem it with. */
async function fresh(by: Application = application) {
  const attempt = await by.attempt("posts:read");
  const location = await person.approve(attempt.url);
  const code = location.searchParams.get("code") ?? assert.fail("no code");
  const fields = { grant_type: "authorization_code", code, code_verifier: attempt.verifier, redirect_uri: CALLBACK };
  return { attempt, location, code, fields };
}

/** Sends a code with some fields changed; answers the error. */
async function redeem(by: Application, fields: { [name: string]: string | undefined }) {
  const sent = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const { status, said } = await by.post("token", [...sent, ...proof(by)]);
  return status === 200 ? "granted" : said.error;
}

test("no browser is sent to an address that is not registered, whatever else is right or wrong", async () => {
  for (const uri of [
    "https://evil.example/callback?from=onefold",
    "https://reader.example/callback",
    "https://reader.example/callback?from=onefold&x=1",
    "https://reader.example/callback?from=onefold#",
    "https://reader.example/callback?from=onefold#x",
    "https://reader.example/callback/?from=onefold",
    "https://reader.example/Callback?from=onefold",
    "https://reader.example/../callback?from=onefold",
    "https://reader.example:443/callback?from=onefold",
    "https://reader.example.evil.example/callback?from=onefold",
    "https://reader.example@evil.example/callback?from=onefold",
    "https://evil.example\\@reader.example/callback?from=onefold",
    "http://reader.example/callback?from=onefold",
    "HTTPS://reader.example/callback?from=onefold",
    "https://READER.example/callback?from=onefold",
    " https://reader.example/callback?from=onefold",
    "https://reader.example/callback?from=onefold ",
    "https://reader.example/callback?from=onefold\r\nlocation: https://evil.example",
    "//reader.example/callback?from=onefold",
    "/callback?from=onefold",
    "javascript:alert(1)",
    " ",
  ]) {
    for (const changes of [{}, { response_type: "token" }, { scope: "users:write" }, { code_challenge: undefined }]) {
      const { url } = await application.attempt("posts:read", { redirect_uri: uri, ...changes });
      for (const answer of [await person.visit(url), await visit(url)]) {
        assert.deepEqual([answer.status, answer.location], [400, null], uri);
        assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
        assert.ok(!answer.text.includes("evil.example"), "the page repeats nothing");
      }
    }
  }
  const { url } = await application.attempt("posts:read");
  url.searchParams.append("redirect_uri", "https://evil.example/");
  assert.equal((await person.visit(url)).status, 400, "twice");
  const form = await person.asked((await application.attempt("posts:read")).url);
  form.fields.set("redirect_uri", "https://evil.example/");
  const pressed = await person.press(form, "approve");
  assert.deepEqual([pressed.status, pressed.location], [400, null], "in the form");
});

test("a code is for the application that asked for it", async () => {
  const { attempt, location, fields } = await fresh();
  assert.equal(await redeem(other, fields), "invalid_grant");
  const open = await Application.register(service, { kind: "public" });
  const anybody = await open.post("token", [...Object.entries(fields), ["client_id", application.client.client_id]]);
  assert.deepEqual([anybody.status, anybody.said.error], [401, "invalid_client"], "by its name alone");
  // None of that used it up.
  const tokens = await application.redeem(attempt, location);
  const theirs = await redeem(other, { grant_type: "refresh_token", refresh_token: tokens.refresh_token });
  assert.equal(theirs, "invalid_grant");
  await application.refresh(tokens.refresh_token);
});

test("a code is for one use, and the second ends what came of the first", async () => {
  const { fields, attempt, location } = await fresh();
  const tokens = await application.redeem(attempt, location);
  assert.equal(await redeem(application, { ...fields, code_verifier: oauth.generateRandomCodeVerifier() }), "invalid_grant");
  assert.equal((await application.introspect(tokens.access_token)).active, true, "who has but the code ends nothing");
  assert.equal(await redeem(application, fields), "invalid_grant");
  assert.equal(await refusal(application.refresh(tokens.refresh_token)), "invalid_grant");
  assert.equal((await application.introspect(tokens.access_token)).active, false);

  const { fields: raced } = await fresh();
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => redeem(application, raced)));
  assert.deepEqual(outcomes.sort(), ["granted", ...Array.from({ length: 9 }, () => "invalid_grant")]);
});

test("a code comes with the proof that it was asked for with, by S256 and nothing else", async () => {
  for (const changes of [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge: undefined },
    { code_challenge: "" },
    { code_challenge_method: undefined },
    { code_challenge_method: "plain" },
    { code_challenge_method: "plain", code_challenge: oauth.generateRandomCodeVerifier() },
    { code_challenge_method: "S512" },
    { code_challenge: "short" },
  ]) {
    const { url, state } = await application.attempt("posts:read", changes);
    const { location } = await person.visit(url);
    const told = location?.searchParams;
    assert.deepEqual([told?.get("error"), told?.get("state"), told?.get("code")], ["invalid_request", state, null]);
  }
  const { fields, attempt } = await fresh();
  const challenge = await oauth.calculatePKCECodeChallenge(attempt.verifier);
  for (const code_verifier of [undefined, ""]) {
    assert.equal(await redeem(application, { ...fields, code_verifier }), "invalid_request", code_verifier);
  }
  for (const code_verifier of [challenge, `${attempt.verifier}A`, attempt.verifier.slice(1), oauth.generateRandomCodeVerifier()]) {
    assert.equal(await redeem(application, { ...fields, code_verifier }), "invalid_grant", code_verifier);
  }
  for (const redirect_uri of ["https://reader.example/callback", "https://evil.example/", `${CALLBACK}#`]) {
    assert.equal(await redeem(application, { ...fields, redirect_uri }), "invalid_grant", redirect_uri);
  }
  assert.equal(await redeem(application, { ...fields, resource: "https://elsewhere.example/" }), "invalid_target");
  // Since the proof binds the code, the address may be left out (OAuth 2.1, section 10.2); without a value, it is.
  assert.equal(await redeem(application, { ...fields, redirect_uri: "" }), "granted");
  for (const code of ["x", "A".repeat(43)]) {
    assert.equal(await redeem(application, { ...fields, code }), "invalid_grant", code);
  }
  for (const code of ["", undefined]) {
    assert.equal(await redeem(application, { ...fields, code }), "invalid_request", code);
  }
});

test("an application that knows several servers is not confused about them", async () => {
  const { attempt, location } = await fresh();
  assert.equal(location.searchParams.get("iss"), application.server.issuer);
  const confused = new URL(location);
  confused.searchParams.set("iss", "https://evil.example");
  await assert.rejects(application.redeem(attempt, confused), /"iss"/);
  const wrong = new URL(location);
  wrong.searchParams.set("state", "another");
  await assert.rejects(application.redeem(attempt, wrong), /"state"/);
  const denied = (await person.press(await person.asked((await application.attempt("posts:read")).url), "deny")).location;
  assert.deepEqual(
    ["error", "iss", "code"].map((name) => denied?.searchParams.get(name)),
    ["access_denied", application.server.issuer, null],
  );
});

test("no other page says yes in the person's name", async () => {
  const { url } = await application.attempt("posts:read");
  const form = await person.asked(url);
  const approved = async (fields: Map<string, string>, origin: string | null) => {
    const { status, location } = await person.press({ ...form, fields }, "approve", origin);
    return status === 303 ? (location?.searchParams.has("code") ?? false) : status;
  };
  const changed = (token: string | undefined) => {
    const fields = new Map(form.fields);
    if (token === undefined) fields.delete("csrf_token");
    else fields.set("csrf_token", token);
    return fields;
  };
  const elsewhere = await (await person.elsewhere()).asked(url);
  for (const token of [undefined, "", "x", elsewhere.fields.get("csrf_token") ?? assert.fail("no token")]) {
    assert.equal(await approved(changed(token), person.origin), 403, token);
  }
  for (const origin of [null, "null", "https://reader.example", "http://127.0.0.1.evil.example"]) {
    assert.equal(await approved(form.fields, origin), 403, String(origin));
  }
  const twice = new URLSearchParams([...form.fields, ["csrf_token", "x"], ["decision", "approve"]]);
  const answer = await person.visit(form.action, { method: "POST", headers: { origin: person.origin }, body: twice });
  assert.equal(answer.status, 403);
  const nobody = new URLSearchParams([...form.fields, ["decision", "approve"]]);
  assert.equal((await visit(form.action, { method: "POST", headers: { origin: person.origin }, body: nobody })).status, 401);
  assert.equal(await approved(form.fields, person.origin), true, "and this is how it is done");
});

test("no token says yes, and no application in its person's name", async () => {
  const tokens = await application.letInBy(person, "posts:read");
  const { url } = await application.attempt("posts:read");
  const body = new URLSearchParams([...(await person.asked(url)).fields, ["decision", "approve"]]);
  const by = (token: string) => ({ headers: { authorization: `Bearer ${token}`, origin: person.origin } });
  for (const who of [visit, person.visit.bind(person)]) {
    const answer = await who(url, { method: "POST", body, ...by(tokens.access_token) });
    assert.deepEqual([answer.status, answer.location], [403, null]);
    assert.equal((await who(url, { method: "POST", body, ...by(service.administrator) })).location, null);
    assert.doesNotMatch((await who(url, by(tokens.access_token))).text, /csrf_token/);
  }
});

test("the page is nobody's frame, runs nothing and repeats texts as texts", async () => {
  const { url } = await application.attempt("posts:read", { state: `"><script>alert(1)</script>` });
  const { text, headers } = await person.visit(url);
  assert.ok(!text.includes("<script") && !text.includes("<i>co") && !text.includes("<b>Hopper"));
  assert.ok(text.includes("Reader &amp; &lt;i&gt;co&lt;/i&gt;"));
  const policy = headers.get("content-security-policy") ?? "";
  for (const part of ["default-src 'none'", "script-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    assert.ok(policy.includes(part), policy);
  }
  assert.equal(headers.get("cache-control"), "no-store");
  const sent = await visit(url);
  assert.deepEqual([sent.status, sent.location?.pathname], [303, "/sign-in"]);
  const signIn = await visit(sent.location ?? assert.fail("nowhere"));
  assert.ok(signIn.status === 200 && !signIn.text.includes("<i>co") && !signIn.text.includes("<script>alert") && /script-src 'sha256-[^']+'; connect-src 'self'/.test(signIn.headers.get("content-security-policy") ?? ""));
});

test("the endpoints take forms, by their own method and at their own address", async () => {
  const json = { "content-type": "application/json" };
  const url = new URL("/oauth/token", service.url);
  assert.equal((await visit(url, { method: "POST", headers: json, body: "{}" })).status, 415);
  assert.equal((await visit(url)).status, 405);
  for (const name of ["grants.token", "grants.decide", "wellKnown.jwks"]) {
    assert.equal((await visit(`${service.url}/${name}`, { method: "POST" })).status, 404, name);
  }
  const preflight = await visit(url, { method: "OPTIONS", headers: { origin: "https://reader.example" } });
  assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
  const response = await oauth.revocationRequest(application.server, application.client, application.auth, "x", LOCAL);
  assert.equal(response.status, 200);
});
