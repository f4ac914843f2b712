import assert from "node:assert/strict";
import { it } from "node:test";
import { refusals } from "../src/safe-change.js";
import type { Json } from "./support.js";

const index = (name: string, key = `${name}pk`): Json => ({
  IndexName: name,
  KeySchema: [{ AttributeName: key, KeyType: "HASH" }],
  Projection: { ProjectionType: "ALL" },
});

function template(indexes: Json[], properties: Json = {}): Json {
  return {
    Resources: {
      Table: {
        Type: "AWS::DynamoDB::Table",
        Properties: {
          KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
          GlobalSecondaryIndexes: indexes,
          ...properties,
        },
      },
    },
  };
}

const deployed = template([index("a"), index("b")]);

it("one index may come or go", () => {
  assert.deepEqual(refusals(deployed, deployed), []);
  assert.deepEqual(refusals(deployed, template([index("a"), index("b"), index("c")])), []);
  assert.deepEqual(refusals(deployed, template([index("b")])), []);
});

it("two changes of indexes are refused, and named", () => {
  assert.match(refusals(deployed, template([index("a"), index("c")]))[0] ?? "", /2 changes of indexes \(delete b, create c\)/);
  assert.match(refusals(deployed, template([]))[0] ?? "", /delete a, delete b/);
});

it("an index with other keys is two changes", () => {
  assert.match(refusals(deployed, template([index("a"), index("b", "other")]))[0] ?? "", /delete b, create b/);
});

it("a table that goes, or that is replaced, is refused", () => {
  assert.match(refusals(deployed, { Resources: {} })[0] ?? "", /would be deleted/);
  const other = { KeySchema: [{ AttributeName: "id", KeyType: "HASH" }] };
  assert.match(refusals(deployed, template([index("a"), index("b")], other))[0] ?? "", /would be replaced/);
  const number = { AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "N" }] };
  assert.match(refusals(deployed, template([index("a"), index("b")], number))[0] ?? "", /would be replaced/);
  assert.match(refusals(deployed, template([index("a"), index("b")], { TableName: "t" }))[0] ?? "", /would be replaced/);
});

it("the first deployment, and what is no table, are not refused", () => {
  assert.deepEqual(refusals({}, deployed), []);
  assert.deepEqual(refusals({ Resources: { Other: { Type: "AWS::SNS::Topic" } } }, deployed), []);
});

it("a stream may come or go, and does not change while it is on", () => {
  const streaming = (view: string) => template([index("a"), index("b")], { StreamSpecification: { StreamViewType: view } });
  assert.deepEqual(refusals(streaming("NEW_IMAGE"), deployed), []);
  assert.deepEqual(refusals(deployed, streaming("KEYS_ONLY")), []);
  assert.deepEqual(refusals(streaming("KEYS_ONLY"), streaming("KEYS_ONLY")), []);
  const [refusal, ...others] = refusals(streaming("NEW_IMAGE"), streaming("KEYS_ONLY"));
  assert.match(refusal ?? "", /a stream of KEYS_ONLY instead of NEW_IMAGE.*deploy once without a stream/);
  assert.deepEqual(others, []);
});
