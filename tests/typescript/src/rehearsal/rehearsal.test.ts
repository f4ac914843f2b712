// The deployment, rehearsed with the testbed: `deploy` gives the synthesized templates and the real release binaries to
// an emulator of AWS, which runs each function as a process of its own behind its HTTP API, on its DynamoDB, and
// judges every request by the policies of the function's role. The clients' suites run against that. Then a second
// version is deployed over the first, and the first over the second.
//
// The functions are those of a copy of the tree, so that one of them can be changed. Linux on x86-64.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { STAGE, cloud, timed, refused } from "./stage.js";

// In the order in which it happens.
import "./missing.js";
import "./first.js";
import "./second.js";
import "./later.js";

describe("a stage goes as it came", () => {
  test("production does not", () => {
    assert.match(refused(["destroy", "--stage", "prod", "--yes"]), /protects its data and is not removed by a command/);
  });

  test("and no other without being asked for", () => {
    assert.match(refused(["destroy", "--stage", STAGE]), /Nothing was removed/);
  });

  test("with its table, and with a frontend's files in the bucket", () => {
    const { Buckets } = cloud.ask("s3", "list_buckets");
    const { Name } = Buckets.find(({ Name }: any) => Name.includes("dev"));
    cloud.ask("s3", "put_object", { Bucket: Name, Key: "index.html" });
    cloud.ask("s3", "put_object", { Bucket: Name, Key: "index.html" });
    for (const stage of [STAGE, "dev"]) assert.match(timed(`removal of ${stage}`, ["destroy", "--stage", stage, "--yes"]), /is gone/);
    const { Stacks } = cloud.ask("cloudformation", "describe_stacks");
    assert.deepEqual(Stacks.map((stack: any) => stack.StackName), ["CDKToolkit"]);
    assert.deepEqual(cloud.ask("dynamodb", "list_tables").TableNames, []);
    assert.deepEqual(cloud.ask("lambda", "list_functions").Functions, []);
  });

  test("once", () => {
    assert.match(timed("removal of what is gone", ["destroy", "--stage", STAGE, "--yes"]), /Stage pr-7 is not in account/);
  });
});
