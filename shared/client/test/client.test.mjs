import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, failureOf, wantsReauthentication, withEnvelopes } from "@onefold/client";
import { error, imitation, result } from "./service.mjs";

const url = "http://service.test/trpc";
const failed = (call) => call.then(() => assert.fail("the call succeeded"), (error) => error);

test("a call goes to the procedure's address, with the token that there is at that time", async () => {
  const { calls, fetch } = imitation(() => result("pong"));
  let token;
  const client = createClient({ url, fetch, token: async () => token });
  assert.equal(await client.things.ping.query(), "pong");
  token = "abc";
  await client.things.make.mutate({ size: 3 });
  assert.deepEqual(
    calls.map(({ procedure, method, headers, body }) => [procedure, method, headers.get("authorization"), body]),
    [
      ["things.ping", "GET", null, undefined],
      ["things.make", "POST", "Bearer abc", { size: 3 }],
    ],
  );
});

test("another separator of words is another address", async () => {
  const { calls, fetch } = imitation(() => result(null));
  await createClient({ url, fetch, pathSeparator: "-" }).things.ping.query();
  assert.equal(calls[0].procedure, "things-ping");
});

test("calls that are made at once are one request if that is wished", async () => {
  const sent = [];
  const fetch = async (input) => {
    sent.push(new URL(input).pathname);
    return new Response(JSON.stringify([result(1), result(2)]), { headers: { "content-type": "application/json" } });
  };
  const client = createClient({ url, fetch, batch: true });
  assert.deepEqual(await Promise.all([client.things.one.query(), client.things.two.query()]), [1, 2]);
  assert.deepEqual(sent, ["/trpc/things.one,things.two"]);
});

test("what a gateway refuses has a code, and the service's own answers pass as they are", async () => {
  const answered = async (status, text, headers) => {
    const answer = await withEnvelopes(async () => new Response(text, { status, headers }))(url);
    return { status: answer.status, text: await answer.text() };
  };
  for (const [status, code, number] of [[403, "FORBIDDEN", -32003], [504, "GATEWAY_TIMEOUT", -32603], [418, "BAD_REQUEST", -32600], [599, "INTERNAL_SERVER_ERROR", -32603]]) {
    const { text } = await answered(status, "<html>no</html>", { "apigw-requestid": "r1", "content-length": "15" });
    const { error } = JSON.parse(text);
    assert.deepEqual(error, { message: `The gateway answered with ${status}.`, code: number, data: { code, httpStatus: status, requestId: "r1" } });
  }
  const { text } = await answered(429, '{"message":"Too Many Requests"}', {});
  assert.equal(JSON.parse(text).error.message, "Too Many Requests");
  for (const own of ['{"error":{"message":"mine"}}', '[{"error":{}}]']) assert.deepEqual(await answered(500, own, {}), { status: 500, text: own });
});

test("a failure is that of the procedure which is named, and of no other", async () => {
  const { fetch } = imitation(() => error("things.get", 404, "NOT_FOUND", { type: "missing" }));
  const client = createClient({ url, fetch });
  const fault = await failed(client.things.get.query());
  assert.deepEqual(failureOf("things.get", fault), { type: "missing" });
  assert.equal(failureOf("things.list", fault), undefined);
  for (const other of [new Error("no"), "no", undefined]) assert.equal(failureOf("things.get", other), undefined);
  assert.equal(wantsReauthentication(fault), false);
  const old = imitation(() => error("things.drop", 403, "FORBIDDEN", { type: "reauthenticate" }));
  assert.equal(wantsReauthentication(await failed(createClient({ url, fetch: old.fetch }).things.drop.mutate())), true);
});
