// How a request of an application to the authorization server is read, and how it proves who asks.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";
import { Application, CALLBACK, LOCAL } from "./application.js";
import { employee, service } from "./people.js";

test("a parameter without a value is one that is left out", async () => {
  const application = await Application.register(service, { grantTypes: ["authorization_code", "client_credentials"] });
  assert.equal((await application.forItself("")).scope, "posts:read posts:write");
  for (const name of ["redirect_uri", "response_mode", "scope", "state", "resource"]) {
    const { url, redirectUri } = await application.attempt("posts:read", { [name]: "" });
    const { pathname, searchParams } = await employee.approve(url);
    assert.equal(pathname, new URL(redirectUri || CALLBACK).pathname, name);
    assert.ok(searchParams.has("code"), `${name}: ${searchParams}`);
  }
  // What must be there is missing without a value, and the application hears of it.
  for (const name of ["response_type", "code_challenge", "code_challenge_method"]) {
    const { url } = await application.attempt("posts:read", { [name]: "" });
    assert.equal((await employee.visit(url)).location?.searchParams.get("error"), "invalid_request", name);
  }
});

test("a token may be asked for several resources, and each must be this service", async () => {
  const application = await Application.register(service, { grantTypes: ["authorization_code", "client_credentials"] });
  const basic = { authorization: `Basic ${btoa(`${application.client.client_id}:${application.secret}`)}` };
  const here = application.server.issuer;
  const attempt = await application.attempt("posts:read");
  for (const resource of [here, `${here}/`]) attempt.url.searchParams.append("resource", resource);
  await application.redeem(attempt, await employee.approve(attempt.url));
  const ask = async (...resources: string[]) => {
    const fields = [["grant_type", "client_credentials"], ...resources.map((resource) => ["resource", resource])];
    const { status, said } = await application.post("token", fields, basic);
    return said.error ?? status;
  };
  assert.deepEqual([await ask(here), await ask(here, `${here}/`), await ask(here, here)], [200, 200, 200]);
  for (const others of [["https://elsewhere.example"], [here, "https://elsewhere.example"], ["https://elsewhere.example", here]]) {
    assert.equal(await ask(...others), "invalid_target");
    const { url } = await application.attempt("posts:read");
    for (const resource of others) url.searchParams.append("resource", resource);
    assert.equal((await employee.visit(url)).location?.searchParams.get("error"), "invalid_target");
  }
});

test("of what is there twice, the application is told where it is clear which one asks", async () => {
  const application = await Application.register(service);
  for (const name of ["response_type", "response_mode", "scope", "state", "code_challenge", "code_challenge_method"]) {
    const { url, state } = await application.attempt("posts:read");
    for (const value of ["a", "b"]) url.searchParams.append(name, value);
    const { location } = await employee.visit(url);
    assert.equal(location?.searchParams.get("error"), "invalid_request", name);
    assert.match(location.searchParams.get("error_description") ?? "", new RegExp(`duplicate: ${name}\\.`));
    assert.equal(location.searchParams.get("state"), name === "state" ? null : state);
  }
  for (const name of ["client_id", "redirect_uri"]) {
    const { url } = await application.attempt("posts:read");
    url.searchParams.append(name, url.searchParams.get(name) ?? "");
    assert.deepEqual([(await employee.visit(url)).status, (await employee.visit(url)).location], [400, null], name);
  }
});

test("an application proves who it is, in one way", async () => {
  const application = await Application.register(service);
  const { client, server, secret } = application;
  const [id, text] = [client.client_id, secret ?? ""];
  const fields = [["grant_type", "refresh_token"], ["refresh_token", "x"]];
  const basic = (user: string, password: string) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` });
  for (const [more, headers, status, error] of [
    [[["client_id", id], ["client_secret", text]], {}, 400, "invalid_grant"],
    [[], basic(id, text), 400, "invalid_grant"],
    [[["client_id", id]], basic(id, text), 400, "invalid_grant"],
    [[["client_id", id]], {}, 401, "invalid_client"],
    [[["client_id", id], ["client_secret", `${text}A`]], {}, 401, "invalid_client"],
    [[["client_id", id], ["client_secret", text.slice(1)]], {}, 401, "invalid_client"],
    [[], basic(id, ""), 401, "invalid_client"],
    [[], basic(id.toUpperCase(), `${text.slice(1)}A`), 401, "invalid_client"],
    [[], basic("nobody", text), 401, "invalid_client"],
    [[], { authorization: `Bearer ${service.administrator}` }, 401, "invalid_client"],
    [[["client_id", id], ["client_secret", text]], { authorization: "Basic x" }, 401, "invalid_client"],
    [[["client_secret", text]], basic(id, text), 400, "invalid_request"],
    [[["client_id", "another"]], basic(id, text), 400, "invalid_request"],
    [[["client_id", id], ["client_id", id], ["client_secret", text]], {}, 400, "invalid_request"],
    [[], {}, 401, "invalid_client"],
  ] as [string[][], HeadersInit, number, string][]) {
    const answer = await application.post("token", [...fields, ...more], headers);
    assert.deepEqual([answer.status, answer.said.error], [status, error], JSON.stringify([more.map(([name]) => name), headers]));
    assert.equal(answer.headers.get("cache-control"), "no-store");
    if (status === 401) assert.equal(answer.headers.get("www-authenticate"), 'Basic realm="testbed"');
    assert.ok(!JSON.stringify(answer.said).includes(text), "the secret is not repeated");
  }
  const post = oauth.ClientSecretPost(text);
  const response = await oauth.introspectionRequest(server, client, post, "x", LOCAL);
  assert.deepEqual(await oauth.processIntrospectionResponse(server, client, response), { active: false });
  for (const [grantType, error] of [["password", "unsupported_grant_type"], ["client_credentials", "unauthorized_client"], ["", "invalid_request"]]) {
    const answer = await application.post("token", [["grant_type", grantType ?? ""]], basic(id, text));
    assert.equal(answer.said.error, error);
  }
  assert.equal((await application.post("token", [], basic(id, text))).said.error, "invalid_request");
});
