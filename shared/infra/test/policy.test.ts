/** The evaluator itself: it must tell a wrong policy from a right one, or nothing that uses it proves anything. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { allows, parsePolicy, type Request } from "./policy.js";
import { OTHER_TABLE, TABLE } from "./roles.js";
import type { Json } from "./support.js";

/** What a reader of users has. */
const right = (): Json => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:BatchGetItem"],
      Resource: TABLE,
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["user#*"] } },
    },
    {
      Effect: "Allow",
      Action: "dynamodb:Query",
      Resource: [`${TABLE}/index/gsi1`],
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "user#*" } },
    },
  ],
});

const get = (...leadingKeys: string[]): Request => ({ action: "dynamodb:GetItem", resource: TABLE, leadingKeys });

/** Whether the policy, with one thing changed, allows a request. */
function allowed(request: Request, change: (first: Json, document: Json) => unknown = () => {}): boolean {
  const document = right();
  change(document.Statement[0], document);
  return allows(parsePolicy(document), request);
}

it("what a statement names is allowed, and all else is not", () => {
  assert.ok(allowed(get("user#1")));
  assert.ok(allowed(get("user#1", "user#~email#ada@example.com")));
  assert.ok(allowed({ ...get("user#created##0"), action: "dynamodb:Query", resource: `${TABLE}/index/gsi1` }));
  for (const key of ["user", "users#1", "order#1", "USER#1", "xuser#1", "", "#user#1"]) {
    assert.ok(!allowed(get(key)), key);
  }
  assert.ok(!allowed(get("user#1", "order#1")), "every key must be like a pattern");
  assert.ok(!allowed({ ...get("user#1"), action: "dynamodb:PutItem" }));
  assert.ok(!allowed({ ...get("user#1"), action: "dynamodb:Query" }));
  assert.ok(!allowed({ ...get("user#1"), action: "dynamodb:Query", resource: `${TABLE}/index/gsi2` }));
  assert.ok(!allowed({ ...get("user#1"), resource: `${TABLE}/index/gsi1` }));
  for (const resource of [OTHER_TABLE, `${TABLE}2`, "*"]) {
    assert.ok(!allowed({ ...get("user#1"), resource }), resource);
  }
});

it("a request without keys passes `ForAllValues`, as it does at IAM, and does not pass `Null` beside it", () => {
  const stated = (value: string) => (first: Json) => (first.Condition["Null"] = { "dynamodb:LeadingKeys": value });
  assert.ok(allowed(get()));
  assert.ok(!allowed(get(), stated("false")));
  assert.ok(allowed(get("user#1"), stated("false")));
  assert.ok(!allowed({ ...get(), action: "dynamodb:Scan" }));
  assert.throws(() => allowed(get(), stated("true")), /"true" for Null is not understood/);
});

it("a sender that is stated must be the request's", () => {
  const from = (fromAddress?: string): Request => ({ ...get("user#1"), ...(fromAddress === undefined ? {} : { fromAddress }) });
  const stated = (first: Json): unknown => (first.Condition["StringEquals"] = { "ses:FromAddress": "a@example.com" });
  assert.ok(allowed(from("a@example.com"), stated));
  assert.ok(!allowed(from("b@example.com"), stated));
  assert.ok(!allowed(from(), stated), "a request without a sender does not pass");
  assert.ok(allowed(from("b@example.com")), "where none is stated, any passes");
});

it("a tag must be the resource's", () => {
  const tagged = (tags?: Record<string, string>): Request => ({ ...get("user#1"), ...(tags === undefined ? {} : { tags }) });
  const stated = (first: Json): unknown => (first.Condition["StringEquals"] = { "aws:ResourceTag/onefold:service": "sample", "aws:ResourceTag/onefold:stage": "prod" });
  assert.ok(allowed(tagged({ "onefold:service": "sample", "onefold:stage": "prod", more: "x" }), stated));
  assert.ok(!allowed(tagged({ "onefold:service": "sample", "onefold:stage": "dev" }), stated));
  assert.ok(!allowed(tagged({ "onefold:service": "sample" }), stated));
  assert.ok(!allowed(tagged(), stated), "a resource without tags does not pass");
});

it("a policy without an action denies it", () => {
  assert.ok(!allowed(get("user#1"), (first) => (first.Action = ["dynamodb:BatchGetItem"])));
});

it("a wider prefix, no prefix, a wider resource and another table are seen", () => {
  const pattern = (keys: string[]) => (first: Json) => (first.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = keys);
  assert.ok(allowed(get("users#1"), pattern(["user*"])));
  assert.ok(allowed(get("order#1"), pattern(["*"])));
  assert.ok(allowed(get("order#1"), pattern(["user#*", "order#*"])));
  assert.ok(allowed(get("uzer#1"), pattern(["u?er#*"])));
  assert.ok(allowed(get("order#1"), (first) => delete first.Condition));
  assert.ok(allowed({ ...get("user#1"), resource: OTHER_TABLE }, (first) => (first.Resource = "*")));
  assert.ok(allowed({ ...get("user#1"), resource: `${TABLE}2` }, (first) => (first.Resource = `${TABLE}*`)));
  assert.ok(allowed({ ...get("user#1"), resource: OTHER_TABLE }, (first) => (first.Resource = [TABLE, OTHER_TABLE])));
});

it("what is not understood is refused, and never passed over", () => {
  const refused: [(first: Json, document: Json) => void, RegExp][] = [
    [(first) => (first.Effect = "Deny"), /the effect "Deny"/],
    [(first) => (first.Action = "dynamodb:*"), /dynamodb:\* is not one action/],
    [(first) => (first.Action = ["dynamodb:Get*"]), /is not one action/],
    [(first) => (first.Action = "*"), /is not one action/],
    [(first) => (first.Action = []), /neither a text nor a list/],
    [(first) => (first.NotAction = "dynamodb:Scan"), /NotAction: not understood/],
    [(first) => (first.NotResource = TABLE), /NotResource: not understood/],
    [(first) => (first.Principal = "*"), /Principal: not understood/],
    [(first) => (first.Resource = "${sample-prod-data/Other.Arn}"), /is not written out/],
    [(first) => (first.Resource = { "Fn::Sub": TABLE }), /neither a text nor a list/],
    [(first) => (first.Condition["StringEquals"] = { "aws:RequestedRegion": "eu-central-1" }), /aws:RequestedRegion: not understood/],
    [(first) => (first.Condition["StringEquals"] = {}), /without a key/],
    [(first) => (first.Condition["StringEquals"] = { "aws:ResourceTag/owner": "me" }), /aws:ResourceTag\/owner: not understood/],
    [(first) => (first.Condition["StringEquals"] = { "aws:ResourceTag/onefold:stage": ["prod"] }), /no text that is written out/],
    [(first) => (first.Condition["StringEqualsIfExists"] = { "ses:FromAddress": "a@example.com" }), /StringEqualsIfExists: not understood/],
    [(first) => (first.Condition["ForAllValues:StringLike"]["dynamodb:Attributes"] = ["name"]), /dynamodb:Attributes: not understood/],
    [(first) => (first.Condition = { "ForAnyValue:StringLike": { "dynamodb:LeadingKeys": ["user#*"] } }), /ForAnyValue/],
    [(first) => (first.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = ["${aws:username}#*"]), /is not written out/],
    [(_, document) => (document.Version = "2008-10-17"), /version "2008-10-17"/],
    [(_, document) => (document.Id = "one"), /Id: not understood/],
  ];
  for (const [change, message] of refused) {
    assert.throws(() => allowed(get("user#1"), change), message);
  }
});
