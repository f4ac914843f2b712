/** The first administrator of a stage: a token that is shown once, of which AWS has the hash. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { forgetFounder, keepFounder, makeFounder, neededFounder, tellFounder } from "../src/commands/founder.js";
import { parseContract } from "../src/contract.js";
import { Names } from "../src/names.js";
import { BARE, type Json, plainProcedure, rawContract } from "./support.js";

const raw = rawContract();
const mold = plainProcedure();
/** A service that reads the secret, or does not, at a stage. */
function project(stageName: string, ...secrets: string[]) {
  const contract = parseContract({ ...raw, gateways: [], procedures: [{ ...mold, secrets }] });
  const stage = { name: stageName, config: BARE };
  return { contract, stage, names: new Names(contract, stage) };
}
const ID = `${raw.service}/prod/founder`;

/** Secrets Manager, with one secret or none; what it is asked is noted. */
function manager(isThere: boolean) {
  const asked: [operation: string, input: Json][] = [];
  const send = async (command: { constructor: { name: string }; input: Json }): Promise<Json> => {
    asked.push([command.constructor.name.replace(/Command$/, ""), command.input]);
    if (command.constructor.name === "DescribeSecretCommand" && !isThere) {
      // As the client makes it of the answer.
      const { ResourceNotFoundException } = await import("@aws-sdk/client-secrets-manager");
      throw new ResourceNotFoundException({ message: "there is none", $metadata: {} });
    }
    return { VersionId: "v1", VersionIdsToStages: { v1: ["AWSCURRENT"] } };
  };
  return { secrets: { send } as unknown as SecretsManagerClient, asked };
}

/** What is printed meanwhile. */
async function said(act: () => unknown): Promise<string> {
  const log = mock.method(console, "log", () => {});
  try {
    await act();
    return log.mock.calls.map(({ arguments: [text] }) => String(text)).join("\n");
  } finally {
    log.mock.restore();
  }
}

describe("the founder's token", () => {
  it("is kept as the hash that functions compare", () => {
    // As in shared/runtime/src/opaque.rs: `head -c 32 /dev/zero | sha256sum`.
    const { token, secret } = makeFounder(Buffer.alloc(32));
    assert.equal(token, "A".repeat(43));
    assert.deepEqual(JSON.parse(secret), { hash: Buffer.from("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925", "hex").toString("base64url") });
  });

  it("is another one each time, and is not what is kept", () => {
    const [one, other] = [makeFounder(), makeFounder()];
    assert.match(one.token, /^[\w-]{43}$/);
    assert.notEqual(one.token, other.token);
    assert.ok(!one.secret.includes(one.token));
  });

  it("is made when functions read it and nobody made it", async () => {
    const { secrets, asked } = manager(false);
    const founder = await neededFounder({ secrets }, project("prod", "founder"), false);
    assert.ok(founder);
    assert.deepEqual(asked, [["DescribeSecret", { SecretId: ID }]], "nothing is written before the deployment is confirmed");
    await said(() => keepFounder({ secrets }, project("prod", "founder"), founder));
    const [, [operation, input]] = asked as [unknown, [string, Json]];
    assert.deepEqual([operation, input.Name, input.SecretString], ["CreateSecret", ID, founder.secret]);
    assert.ok(!JSON.stringify(asked).includes(founder.token));
  });

  it("is not made twice, nor for functions that do not read it, nor for a preview", async () => {
    assert.equal(await neededFounder(manager(true), project("prod", "founder"), false), undefined);
    for (const without of [project("prod"), project("prod", "signing"), project("pr-7", "founder")]) {
      const { secrets, asked } = manager(false);
      assert.equal(await neededFounder({ secrets }, without, false), undefined);
      assert.deepEqual(asked, []);
    }
  });

  it("is shown to a person and never to a log", async () => {
    const { secrets } = manager(false);
    await assert.rejects(neededFounder({ secrets }, project("prod", "founder"), true), {
      name: "Problem",
      message: /is not there yet\..*run `cargo run -- deploy --stage prod` on a machine of your own/,
    });
    assert.equal(await neededFounder(manager(true), project("prod", "founder"), true), undefined, "once it is there, anybody may deploy");
  });

  it("is told as soon as it is kept, and not before", async () => {
    const { secrets, asked } = manager(false);
    const told = await said(() => keepFounder({ secrets }, project("prod", "founder"), { token: "T", secret: "S" }));
    assert.deepEqual(asked.map(([operation]) => operation), ["CreateSecret"]);
    assert.match(told, /^ {2}T$/m);
    const refusing = { secrets: { send: () => Promise.reject(new Error("no")) } as unknown as SecretsManagerClient };
    assert.equal(await said(() => assert.rejects(keepFounder(refusing, project("prod", "founder"), { token: "T", secret: "S" }))), "");
  });

  it("is told with what to do with it, in words that are true of a stage with administrators, and of any service", async () => {
    const told = await said(() => tellFounder(project("prod", "founder"), { token: "T", secret: "S" }));
    const [, first, second] = told.split("\n");
    assert.equal(first, `Stage prod has a token that names its first administrator. Who gives it to ${mold.name} becomes administrator, whoever else is one by then:`);
    assert.equal(second, "  T");
    assert.ok(!told.includes('"S"'));
    assert.doesNotMatch(told, /founderToken/, "what the input is called, the service's own documents say");
  });

  it("goes with the table: the next one gets another", async () => {
    const there = manager(true);
    await forgetFounder(there, project("dev", "founder"));
    assert.deepEqual(there.asked.at(-1), ["DeleteSecret", { SecretId: `${raw.service}/dev/founder`, ForceDeleteWithoutRecovery: true }]);
    const none = manager(false);
    await forgetFounder(none, project("dev", "founder"));
    assert.deepEqual(none.asked.map(([operation]) => operation), ["DescribeSecret"]);
  });
});
