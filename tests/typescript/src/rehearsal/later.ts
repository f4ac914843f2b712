// What is done to a stage later: another key, and another front.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@onefold/testbed";
import { attempt, REGION, startFront } from "./cloud.js";
import { asking } from "./styles.js";
import {
  STAGE, tree, cloud, front, timed, refused, deploy, token, PASSWORD, register, signIn, partOf, keysIn, keyThat,
} from "./stage.js";

/** Calls until the emulator has noticed that a function's process was killed: until then it answers 502 in its place. */
async function answered(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const said = await call().then(() => "", (error: unknown) => String(error));
    if (!said.includes("502")) return;
    await sleep(100);
  }
}

test("another key signs after a rotation and a deployment; the old one is good until it is retired", async () => {
  const [old, oldOfFunctions] = [token(), await signIn(front.url, "hopper@example.com")];
  const answers = (...bearers: string[]) =>
    Promise.all(
      bearers.map((bearer) => {
        const { posts } = createClient({ url: front.url, token: bearer });
        return posts.list.query({ limit: 1 }).then(() => "OK", (error: any) => error.data?.code ?? error);
      }),
    );
  const said = timed("keys, rotated", ["keys", "--stage", STAGE, "--rotate"]);
  const [oldKid = "", others] = [...keysIn(said)].filter(([, what]) => what === "").map(([kid]) => kid);
  assert.equal(others, undefined);
  const functionsKid = keyThat(said, "the functions sign with it");
  const nextKid = keyThat(said, "the functions sign with it after the next deployment");
  const kidOfFunctions = async () => partOf(await signIn(front.url, "hopper@example.com"), 0)["kid"];
  cloud.killFunctions();
  await answered(() => signIn(front.url, "hopper@example.com"));
  assert.equal(await kidOfFunctions(), functionsKid, "the next key does not sign before all functions know it");
  assert.match(refused(["keys", "--stage", STAGE, "--retire", functionsKid]), /is a key that functions sign with/);
  const young = token();
  assert.match(deploy("deployment after a rotation"), new RegExp(`Functions sign with ${nextKid} from now on; ${functionsKid} is accepted`));
  assert.equal(await kidOfFunctions(), nextKid);
  const youngOfFunctions = await signIn(front.url, "hopper@example.com");
  assert.deepEqual(await answers(old, oldOfFunctions, young, youngOfFunctions), ["OK", "OK", "OK", "OK"]);
  timed("keys, retired", ["keys", "--stage", STAGE, "--retire", oldKid]);
  timed("keys, retired", ["keys", "--stage", STAGE, "--retire", functionsKid]);
  deploy("deployment after keys were retired");
  assert.deepEqual(await answers(old, oldOfFunctions, young, youngOfFunctions), ["UNAUTHORIZED", "UNAUTHORIZED", "OK", "OK"]);
  assert.match(refused(["keys", "--stage", STAGE, "--retire", oldKid]), /There is no key/);
});

test("behind CloudFront, the HTTP API answers nobody else", async () => {
  timed("keys of dev", ["keys", "--stage", "dev"]);
  // Its web ACL is where CloudFront looks for it.
  const [, program = "", parameters = ""] = /^ {2}(infra\/\S+) (.*us-east-1)$/m.exec(refused(["deploy", "--stage", "dev", "--architecture", "x86_64"])) ?? assert.fail();
  const prepared = attempt(join(tree, program), parameters.split(" "), tree, cloud.environment);
  assert.equal(prepared.status, 0, prepared.said);
  assert.match(refused(["deploy", "--stage", "dev", "--architecture", "x86_64"], { CI: "true" }), /founder, which says who may be the first administrator, is not there yet/);
  const said = deploy("deployment of dev, with its edge", "dev");
  const founderToken = /^Stage dev has a token that names its first administrator\..*\n {2}([\w-]{43})$/m.exec(said)?.[1] ?? assert.fail(said);
  const { DistributionList } = cloud.ask("cloudfront", "list_distributions");
  assert.match(DistributionList.Items[0].WebACLId, /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/testbed-dev-firewall/);
  const [, printed = ""] = /^dev {2}(https:\/\/\S+)\/trpc$/m.exec(said) ?? assert.fail(said);
  // CloudFront's name is known when it is there: the functions are told in a second pass.
  assert.match(said, /^Once more for the functions/m);
  const { Configuration } = cloud.ask("lambda", "get_function", { FunctionName: "testbed-dev-auth-login" });
  assert.equal(Configuration.Environment.Variables.ONEFOLD_URL, printed);
  assert.match(said, /^dev {2}frontend: s3:\/\/\S+$/m);
  const { Items } = cloud.ask("apigatewayv2", "get_apis");
  const { ApiId } = Items.find((api: any) => api.Name.startsWith("testbed-dev-"));
  const address = `https://${ApiId}.execute-api.${REGION}.amazonaws.com/trpc`;
  const { SecretList } = cloud.ask("secretsmanager", "list_secrets");
  const { ARN } = SecretList.find((secret: any) => secret.Description?.startsWith("x-origin-secret"));
  const { SecretString } = cloud.ask("secretsmanager", "get_secret_value", { SecretId: ARN });
  const shown = [[{}, "UNAUTHORIZED"], [{ "x-origin-secret": "guessed" }, "FORBIDDEN"], [{ "x-origin-secret": SecretString }, "pong"]] as const;
  for (const [headers, expected] of shown) {
    const way = await startFront(cloud, address, headers);
    try {
      const { health } = createClient({ url: way.url });
      const answer = await health.ping.query().catch((error: any) => error.data?.code ?? error);
      assert.equal(answer, expected, cloud.tail());
    } finally {
      await way.stop();
    }
  }

  // Who calls is what the front says; without a secret that nobody made there are no providers.
  const way = await startFront(cloud, address, { "x-origin-secret": SecretString, "x-viewer-address": "203.0.113.7" });
  try {
    const { oauth } = await register(way.url, "lovelace@example.com", { founderToken });
    const lovelace = createClient({ url: way.url, token: await signIn(way.url, "lovelace@example.com") });
    assert.equal((await lovelace.auth.me.query()).role, "administrator", "whoever has the token that the deployment showed");
    assert.deepEqual((await lovelace.sessions.list.query()).items.map(({ address }) => address), ["203.0.113.7"]);
    assert.deepEqual(await oauth.providers.query(), { items: [] });
    // It goes along when a gateway invokes.
    const login = { jsonrpc: "2.0", id: 1, method: "auth.login", params: { email: "lovelace@example.com", password: PASSWORD, keep: "tokens" } };
    const { json } = await asking(new URL(way.url).origin)("POST", "/jsonrpc", { body: login });
    const { items } = await createClient({ url: way.url, token: json.result.tokens.accessToken }).sessions.list.query();
    assert.deepEqual(items.map(({ address }) => address), ["203.0.113.7", "203.0.113.7"]);
  } finally {
    await way.stop();
  }
});
