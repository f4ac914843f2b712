// The service as an authorization server, with oauth4webapi as the third party.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";
import type { PostId, UserId } from "@onefold/testbed";
import { Application, LOCAL, discover, refusal } from "./application.js";
import { administrator, code, employee, service } from "./people.js";
import { Person } from "./person.js";

/** Where somebody is signed in with an application. */
async function applications(person: Person) {
  const { data } = await person.call("sessions.list");
  const { items } = data as { items: { kind: string; device: string; clientId: string; scopes: string[]; agent: string }[] };
  return items.filter(({ kind }) => kind === "application");
}

test("an application finds everything by the issuer's name, and only what works is claimed", async () => {
  const server = await discover(service, "oauth2");
  assert.deepEqual(await discover(service, "oidc"), server);
  assert.deepEqual(server.code_challenge_methods_supported, ["S256"]);
  assert.ok(server.scopes_supported?.includes("posts:write:own"));
  assert.equal(server.authorization_response_iss_parameter_supported, true);
  for (const [name, value] of Object.entries(server)) {
    if (!name.endsWith("_endpoint") && name !== "jwks_uri") continue;
    const { status, headers } = await fetch(value as string, { method: "PUT" });
    assert.equal(status, 405, `${name}: it is there, and wants another method`);
    assert.ok(headers.get("allow"));
  }
  const answer = await fetch(server.jwks_uri ?? "");
  const { keys } = (await answer.json()) as { keys: { [member: string]: string }[] };
  assert.match(answer.headers.get("cache-control") ?? "", /^public/);
  for (const key of keys) assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x"], "no private part");
});

test("an application is let in, calls what it was let in for, and nothing else", async () => {
  const application = await Application.register(service);
  const { access_token: token, refresh_token, scope, expires_in } = await application.letInBy(employee, "posts:read");
  assert.deepEqual([scope, expires_in, typeof refresh_token], ["posts:read", 900, "string"]);
  // As a resource server of the third party would check it (RFC 9068).
  const request = new Request("https://reader.example/", { headers: { authorization: `Bearer ${token}` } });
  const claims = await oauth.validateJwtAccessToken(application.server, request, "testbed", LOCAL);
  assert.deepEqual([claims.sub, claims.client_id, claims.scope], [employee.id, application.client.client_id, "posts:read"]);

  const client = application.calling(token);
  assert.ok(Array.isArray((await client.posts.list.query()).items));
  assert.equal(await code(client.posts.create.mutate({ title: "Lunch", body: "At noon." })), "FORBIDDEN");
  assert.equal(await code(client.users.list.query()), "FORBIDDEN");
  // What is about the person's own account.
  assert.equal(await code(client.auth.me.query()), "FORBIDDEN");
  assert.equal(await code(client.sessions.list.query()), "FORBIDDEN");
  assert.equal(await code(client.account.export.mutate()), "FORBIDDEN");
});

test("an application does no more than its person may", async () => {
  const application = await Application.register(service);
  const own = application.calling((await application.letInBy(employee, "posts:write")).access_token);
  const { id, authorId } = await own.posts.create.mutate({ title: "Lunch", body: "At noon." });
  assert.equal(authorId, employee.id);
  const all = application.calling((await application.letInBy(administrator, "posts:write")).access_token);
  const other = await all.posts.create.mutate({ title: "Dinner", body: "At eight." });
  assert.equal(await code(own.posts.delete.mutate({ id: other.id })), "FORBIDDEN", "an employee changes own posts");
  await all.posts.update.mutate({ id, title: "Supper" });
  // An administrator may let an application in for less.
  const less = application.calling((await application.letInBy(administrator, "posts:write:own")).access_token);
  assert.equal(await code(less.posts.update.mutate({ id, title: "Brunch" })), "FORBIDDEN");
  await less.posts.update.mutate({ id: other.id, title: "Brunch" });
  const viewer = await Person.register(service, "viewer");
  const nothing = application.calling((await application.letInBy(viewer, "posts:write")).access_token);
  assert.equal(await code(nothing.posts.create.mutate({ title: "Tea", body: "At five." })), "FORBIDDEN");
});

test("the person sees the application among the devices, and puts it out", async () => {
  const person = await Person.register(service, "administrator");
  const application = await Application.register(service, { scopes: ["posts:read", "users:write"] });
  const tokens = await application.letInBy(person, "posts:read users:write");
  const [shown, ...others] = await applications(person);
  assert.deepEqual(others, []);
  assert.deepEqual([shown?.agent, shown?.scopes], ["Reader & <i>co</i>", ["posts:read", "users:write"]]);
  assert.equal(shown?.clientId, application.client.client_id);
  const client = application.calling(tokens.access_token);
  const somebody = await Person.register(service, "viewer");
  await client.users.update.mutate({ id: somebody.id, name: "Grace" });

  assert.equal((await person.call("sessions.revoke", { device: shown?.device })).status, 200);
  assert.equal(await refusal(application.refresh(tokens.refresh_token)), "invalid_grant");
  assert.equal(await code(client.users.update.mutate({ id: somebody.id, name: "Eve" })), "UNAUTHORIZED", "at once");
  assert.equal((await application.introspect(tokens.access_token)).active, false);
  assert.deepEqual(await applications(person), []);
});

test("a refresh token is good once, and its reuse ends the session", async () => {
  const application = await Application.register(service);
  const first = await application.letInBy(employee, "posts:read posts:write");
  const all = await Promise.all(Array.from({ length: 20 }, () => application.refresh(first.refresh_token)));
  const [second, ...others] = new Set(all.map(({ refresh_token }) => refresh_token));
  assert.deepEqual([others, second !== first.refresh_token], [[], true], "one successor");
  const third = await application.refresh(second);
  assert.equal(third.scope, "posts:read posts:write");
  assert.equal(await refusal(application.refresh(first.refresh_token)), "invalid_grant", "two turns ago");
  assert.equal(await refusal(application.refresh(third.refresh_token)), "invalid_grant", "it has ended for everybody");
});

test("scopes become narrower and never wider", async () => {
  const application = await Application.register(service);
  const attempt = await application.attempt("posts:read users:write");
  const sent = (await employee.visit(attempt.url)).location ?? assert.fail("sent nowhere");
  assert.throws(() => oauth.validateAuthResponse(application.server, application.client, sent, attempt.state), { error: "invalid_scope" });

  const { refresh_token: token } = await application.letInBy(employee, "posts:read");
  for (const wider of ["posts:read posts:write", "posts:write:own", "users:read", "*"]) {
    assert.equal(await refusal(application.refresh(token, wider)), "invalid_scope", wider);
  }
  const both = await application.letInBy(employee, "posts:read posts:write");
  const narrow = await application.refresh(both.refresh_token, "posts:read");
  assert.equal(narrow.scope, "posts:read");
  const client = application.calling(narrow.access_token);
  assert.equal(await code(client.posts.create.mutate({ title: "Lunch", body: "At noon." })), "FORBIDDEN");
  assert.equal((await application.refresh(narrow.refresh_token)).scope, "posts:read posts:write");

  // A procedure that looks at the session holds it against the token all the same, and not against the consent.
  const sensitive = await Application.register(service, { scopes: ["posts:read", "users:write"] });
  const wide = await sensitive.letInBy(employee, "posts:read users:write:own");
  const id = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;
  const attempts = [wide, await sensitive.refresh(wide.refresh_token, "posts:read")].map(({ access_token: token }) =>
    sensitive.calling(token).users.update.mutate({ id, name: "Grace" }).then(() => "", (error: Error) => error.message),
  );
  assert.deepEqual(await Promise.all(attempts), [
    "This needs the permission users:write; you have it for your own items.",
    "This needs the permission users:write.",
  ]);

  // What the form holds is no more than what the link held.
  const form = await employee.asked((await application.attempt("posts:read")).url);
  form.fields.set("scope", "posts:read users:write");
  assert.equal((await employee.press(form, "approve")).location?.searchParams.get("error"), "invalid_scope");
});

test("an application takes its tokens back and asks about them", async () => {
  const [application, other] = [await Application.register(service), await Application.register(service)];
  const tokens = await application.letInBy(employee, "posts:read");
  for (const token of [tokens.access_token, tokens.refresh_token]) {
    const known = await application.introspect(token);
    assert.deepEqual([known.active, known.scope, known.sub], [true, "posts:read", employee.id]);
    assert.equal(known.iss, application.server.issuer);
    const { iat = 0, exp = 0 } = known;
    assert.ok(iat <= Date.now() / 1000 && exp > Date.now() / 1000);
    assert.deepEqual(await other.introspect(token), { active: false });
    assert.equal(await refusal(other.revoke(token)), "invalid_grant");
  }
  assert.deepEqual(await application.introspect(service.administrator), { active: false }, "nobody's application");
  await application.revoke("no token at all");
  await application.revoke(tokens.access_token);
  assert.equal(await refusal(application.refresh(tokens.refresh_token)), "invalid_grant");
  assert.deepEqual(await application.introspect(tokens.access_token), { active: false });

  const again = await application.letInBy(employee, "posts:read");
  await application.revoke(again.refresh_token);
  await application.revoke(again.refresh_token);
  assert.equal(await refusal(application.refresh(again.refresh_token)), "invalid_grant");
  assert.deepEqual(await application.introspect(again.refresh_token), { active: false });
});

test("an application calls for itself", async () => {
  const application = await Application.register(service, { redirectUris: [], grantTypes: ["client_credentials"] });
  const tokens = await application.forItself();
  assert.deepEqual([tokens.scope, tokens.refresh_token], ["posts:read posts:write", undefined]);
  const client = application.calling(tokens.access_token);
  assert.ok((await client.posts.list.query()).items.length > 0);
  assert.equal(await code(client.posts.create.mutate({ title: "Lunch", body: "At noon." })), "FORBIDDEN", "it is no author");
  assert.equal(await code(client.users.list.query()), "FORBIDDEN");
  assert.equal(await code(client.auth.me.query()), "FORBIDDEN");
  const narrow = application.calling((await application.forItself("posts:read")).access_token);
  assert.equal(await code(narrow.posts.delete.mutate({ id: application.client.client_id as PostId })), "FORBIDDEN");
  assert.equal(await refusal(application.forItself("posts:read users:read")), "invalid_scope");
  const known = await application.introspect(tokens.access_token);
  assert.deepEqual([known.active, known.sub], [true, application.client.client_id]);
  assert.equal(await refusal(application.revoke(tokens.access_token)), "unsupported_token_type");
  assert.equal(await refusal((await Application.register(service)).revoke(tokens.access_token)), "invalid_grant");

  const attempt = await application.attempt("posts:read");
  assert.equal((await employee.visit(attempt.url)).status, 400, "it has no address to be sent back to");
  const open = await Application.register(service, { kind: "public" });
  assert.equal(await refusal(open.forItself()), "unauthorized_client");
  assert.equal(await refusal((await Application.register(service)).forItself()), "unauthorized_client");
});

test("an application without a secret is bound by the proof of its code alone", async () => {
  const loopback = "http://127.0.0.1/callback";
  const application = await Application.register(service, { kind: "public", redirectUris: [loopback] });
  assert.equal(application.secret, null);
  // No secret is an empty one, however that is said; any other is wrong.
  const form = [["grant_type", "refresh_token"], ["refresh_token", "AAAA"]];
  const id = application.client.client_id;
  const said = async (fields: string[][], headers = {}) => (await application.post("token", [...form, ...fields], headers)).said.error;
  assert.equal(await said([["client_id", id]]), "invalid_grant");
  assert.equal(await said([["client_id", id], ["client_secret", ""]]), "invalid_grant");
  const basic = (secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });
  assert.equal(await said([], basic("")), "invalid_grant");
  assert.equal(await said([], basic("x")), "invalid_client");
  const attempt = await application.attempt("posts:read", { redirect_uri: "http://127.0.0.1:51004/callback" });
  const location = await employee.approve(attempt.url);
  assert.equal(location.origin, "http://127.0.0.1:51004");
  const tokens = await application.redeem(attempt, location);
  await application.refresh(tokens.refresh_token);
  assert.equal(await refusal(application.introspect(tokens.access_token)), "invalid_client", "it proves nothing");
  const native = await Application.register(service, { kind: "public", redirectUris: ["com.example.reader:/callback"] });
  const there = await native.attempt("posts:read", { redirect_uri: "com.example.reader:/callback" });
  const sent = await employee.approve(there.url);
  assert.ok(sent.href.startsWith("com.example.reader:/callback?code="));
  assert.equal((await native.redeem(there, sent)).scope, "posts:read");
});

test("an application that was removed gets nothing any more", async () => {
  const application = await Application.register(service);
  const tokens = await application.letInBy(employee, "posts:read");
  const attempt = await application.attempt("posts:read");
  const location = await employee.approve(attempt.url);
  const owner = application.calling(service.administrator);
  await owner.grants.clientsDelete.mutate({ id: application.client.client_id as never });
  assert.equal(await refusal(application.refresh(tokens.refresh_token)), "invalid_client");
  assert.equal(await refusal(application.redeem(attempt, location)), "invalid_client");
  assert.equal((await employee.visit(attempt.url)).status, 400);
});

test("what was done can be read in the audit log, and no secret is in it", async () => {
  const application = await Application.register(service);
  const tokens = await application.letInBy(employee, "posts:read");
  const owner = application.calling(service.administrator);
  const { items } = await owner.audit.list.query({ target: application.client.client_id });
  assert.deepEqual(items.map(({ action }) => action), ["consentGiven", "clientCreated"]);
  assert.deepEqual([items[0]?.actor, items[0]?.detail], [employee.id, "posts:read"]);
  const everything = JSON.stringify((await owner.audit.list.query({ limit: 100 })).items);
  for (const secret of [application.secret, tokens.refresh_token, tokens.access_token]) {
    assert.ok(!everything.includes(secret ?? "-"));
  }
});
