/** What a service has beside its procedures. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { Stack } from "aws-cdk-lib";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { Topic } from "aws-cdk-lib/aws-sns";
import { parseContract } from "../src/contract.js";
import { Names } from "../src/names.js";
import { BARE, rawContract, synthesize } from "./support.js";

const { service } = rawContract();
const names = new Names(parseContract(rawContract()), { name: "dev", config: BARE });

it("a service that adds nothing has no stack for it", () => {
  const { templates } = synthesize({ directory: "own-none", stage: "dev", config: BARE });
  assert.ok(!templates.some(({ name }) => name.endsWith("-own")));
});

it("a bucket of the service's own is in a stack of its own, with the service's tags and name, and the commands know it", () => {
  const synthesis = synthesize({ directory: "own-bucket", stage: "dev", config: BARE, extend: (own) => void new Bucket(own, "Uploads") });
  const bucket = synthesis.only("AWS::S3::Bucket");
  assert.equal(bucket.template.name, `${service}-dev-own`);
  assert.deepEqual(bucket.properties.Tags, [{ Key: "onefold:service", Value: service }, { Key: "onefold:stage", Value: "dev" }]);
  assert.equal(names.stacks().at(-1), bucket.template.name, "the last to be deployed and the first to be removed");
});

it("the service's stacks can be added to, and named", () => {
  const synthesis = synthesize({
    directory: "own-topic",
    stage: "dev",
    config: BARE,
    extend: (own, { stage, data, edge }) => {
      assert.deepEqual([stage.name, edge], ["dev", undefined]);
      new Topic(data, "Kept");
      new Topic(own, "About", { displayName: data.table.tableName });
      assert.ok(Stack.isStack(own));
    },
  });
  const topics = synthesis.all("AWS::SNS::Topic").map(({ template }) => template.name);
  assert.ok(topics.includes(`${service}-dev-data`) && topics.includes(`${service}-dev-own`), topics.join());
});
