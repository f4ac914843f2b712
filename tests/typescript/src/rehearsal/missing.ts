// What a deployment lacks is said before anything is built.

import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ACCOUNT, attempt, REGION } from "./cloud.js";
import { STAGE, tree, cloud, timed, refused, keysIn, decide } from "./stage.js";

describe("what is missing is said before anything is built", () => {
  const deployment = ["deploy", "--stage", STAGE, "--architecture", "x86_64"];

  test("a stage that there is not", () => {
    assert.match(refused(["deploy", "--stage", "staging"]), /There is no stage "staging": stages are dev, prod, and pr-7/);
  });

  test("Node.js", () => {
    const bare = join(cloud.folder, "bare");
    mkdirSync(bare);
    assert.match(refused(deployment, { PATH: bare }), /needs Node\.js 20 or newer/);
  });

  test("cargo-lambda", () => {
    const { PATH = "" } = cloud.environment;
    const withoutVenv = PATH.split(":").filter((folder) => !existsSync(join(folder, "cargo-lambda"))).join(":");
    assert.match(refused(deployment, { PATH: withoutVenv }), /pip install --require-hashes --requirement tests\/requirements\.txt/);
  });

  test("a region", () => {
    assert.match(refused(deployment, { AWS_REGION: "", AWS_DEFAULT_REGION: "" }), /No AWS region is set/);
  });

  test("credentials: none, and some that AWS does not know", () => {
    assert.match(refused(deployment, { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }), /No AWS credentials were found[\s\S]*aws sso login/);
    assert.match(refused(deployment, { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" }), /AWS does not know these credentials/);
  });

  test("AWS itself", () => {
    assert.match(refused(deployment, { AWS_ENDPOINT_URL: "http://127.0.0.1:9" }), /AWS cannot be reached/);
  });

  test("the account's preparation, and the command that it names does it", () => {
    const said = refused(deployment);
    const [, program, parameters] = /^ {2}(infra\/\S+) (.*)$/m.exec(said) ?? assert.fail(said);
    assert.equal(parameters, `bootstrap aws://${ACCOUNT}/${REGION}`);
    const { status, said: answer } = attempt(join(tree, program ?? ""), (parameters ?? "").split(" "), tree, cloud.environment);
    assert.equal(status, 0, answer);
  });

  test("an address to send mails from, where somebody is to get them", () => {
    assert.match(refused(["deploy", "--stage", "dev", "--architecture", "x86_64"]), /Stage dev in stages\.ts has no mailFrom, and there is mail to send \([^)]*auth\.register/);
    for (const stage of ["  dev: {", "  preview: {"]) decide(stage, `${stage} mailFrom: "no-reply@example.com",`);
    cloud.ask("sesv2", "create_email_identity", { EmailIdentity: "example.com" });
  });

  test("a secret that the stage says is there", () => {
    decide("  preview: {", '  preview: { secrets: ["identity-provider"],');
    assert.match(refused(deployment), /has the secret "identity-provider", which no procedure reads: they read identity-providers/);
    decide('"identity-provider"', '"identity-providers"');
    assert.match(refused(deployment), /The secret testbed\/preview\/identity-providers is not there, and stages\.ts says that it is/);
    cloud.putSecret("testbed/preview/identity-providers", []);
  });

  test("the stage's keys, and the command that it names makes them", () => {
    const said = refused(deployment);
    assert.match(said, /cargo run -- keys --stage pr-7/);
    assert.match(refused(["token", "--stage", STAGE, "--role", "viewer"]), /there is no key for pr-7 here/);
    const made = timed("keys", ["keys", "--stage", STAGE]);
    assert.match(made, /^testbed\/preview accepts tokens signed with:$/m);
    assert.deepEqual([...keysIn(made).values()], ["this machine signs with it", "the functions sign with it"]);
    const again = timed("keys again", ["keys", "--stage", STAGE]);
    assert.match(again, /^testbed\/preview has nothing new and accepts tokens signed with:$/m);
    assert.deepEqual(keysIn(again), keysIn(made));
  });

  test("nothing was deployed meanwhile", () => {
    assert.ok(!existsSync(join(tree, "target/lambda")));
    const { Stacks } = cloud.ask("cloudformation", "describe_stacks");
    assert.deepEqual(Stacks.map((stack: any) => stack.StackName), ["CDKToolkit"]);
  });
});
