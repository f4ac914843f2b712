import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseContract } from "../src/contract.js";
import { lossesOf, readAssembly, templateReport } from "../src/template-diff.js";
import { APP, BARE, EVERYTHING, functionName, PACKAGE, type Json, rawContract, type RawContract, synthesize } from "./support.js";

const assembly = (name: string): string => join(PACKAGE, "build/assemblies", name, "assembly");

/** A synth of the real contract with a change. */
function synthesized(name: string, change: (contract: RawContract) => void = () => {}): string {
  const contract = rawContract();
  change(contract);
  synthesize({ directory: name, stage: "dev", config: BARE, contract: parseContract(contract) });
  return assembly(name);
}

const of = (resources: Json): Map<string, Json> => new Map([["service", { Resources: resources }]]);
const report = (before: Json, after: Json): string => templateReport(of(before), of(after));

const TABLE = {
  Type: "AWS::DynamoDB::Table",
  DeletionPolicy: "Retain",
  Properties: {
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    DeletionProtectionEnabled: true,
  },
};
const BUCKET = { Type: "AWS::S3::Bucket", Properties: { BucketName: "one" } };

describe("the real service", () => {
  const { service } = rawContract();
  const before = readAssembly(synthesized("difference-before"));

  it("has not changed against itself", () => {
    assert.equal(templateReport(before, before), "## Templates\n\nThe templates are unchanged.\n");
  });

  it("shows a grant as a right, and a longer timeout by its path", () => {
    const folder = synthesized("difference-grant", ({ procedures }) => {
      const procedure = procedures.find(({ name }) => name === "auth.logout")!;
      procedure.timeoutMs = 20_000;
      const grant = procedure.grants.find(({ access, prefix }) => access === "update" && prefix === "account")!;
      grant.actions.push("dynamodb:Query");
      grant.indexes = ["gsi1"];
    });
    const text = templateReport(before, readAssembly(folder));
    assert.match(text, new RegExp(`### \`${service.replaceAll("-", "")}devserviceDomainauth\\w+ \\(nested\\)\``));
    assert.match(text, /`AWS::Lambda::Function` `authlogoutFunction\w+`: `Timeout` was `11` and is `21`/);
    const gained = `Rights gained:\\n {2}- \`AWS:\\$\\{authlogoutRole\\w+\\}\`: Allow \`dynamodb:Query\` on \`\\$\\{${service}-dev-data\\.TableCD117FA1Arn\\}/index/gsi1\``;
    assert.match(text, new RegExp(`${gained}, when \`.*dynamodb:LeadingKeys.*account#\\*`));
    // Nothing else has changed: not the parent, of which only the nested template's address is another.
    assert.equal(text.match(/^### /gm)?.length, 1);
  });

  it("shows a procedure that is gone with its rights", () => {
    const folder = synthesized("difference-gone", (contract) => {
      contract.procedures = contract.procedures.filter(({ name }) => name !== "sessions.list");
      contract.gateways = contract.gateways.map((gateway) => ({ ...gateway, invokes: gateway.invokes.filter((name) => name !== "sessions.list") }));
    });
    const text = templateReport(before, readAssembly(folder));
    assert.match(text, /Removed:\n(?: {2}- .*\n)* {2}- `AWS::Lambda::Function` `sessionslistFunction/);
    assert.match(text, /Rights lost:/);
    assert.doesNotMatch(text, /CAUTION/);
  });

  it("warns of a stage that protects its data no longer", () => {
    synthesize({ directory: "difference-protected", stage: "dev", config: { ...BARE, protectData: true } });
    const text = templateReport(readAssembly(assembly("difference-protected")), before);
    assert.match(text, /> \[!CAUTION\]\n> \*\*Stored data is in danger/);
    assert.match(text, /`AWS::DynamoDB::Table` `Table\w+` would not have deletion protection any more/);
    assert.match(text, /would not have `DeletionPolicy` any more/);
  });
});

describe("stored data", () => {
  it("is in danger when a table goes, is replaced, or changes its indexes twice", () => {
    assert.match(report({ Table: TABLE }, {}), /CAUTION[^#]*Table Table is not in the template any more/);
    const other = { ...TABLE, Properties: { ...TABLE.Properties, KeySchema: [{ AttributeName: "id", KeyType: "HASH" }] } };
    assert.match(report({ Table: TABLE }, { Table: other }), /CAUTION[^#]*it would be replaced by an empty one/);
    assert.equal(report({ Table: TABLE }, { Table: other }).match(/replaced by an empty one/g)?.length, 1);
  });

  it("is in danger when a bucket goes or is replaced", () => {
    assert.match(report({ Files: BUCKET }, {}), /CAUTION[^#]*`Files` would be deleted/);
    const other = { ...BUCKET, Properties: { BucketName: "two" } };
    const text = report({ Files: BUCKET }, { Files: other });
    assert.match(text, /CAUTION[^#]*`Files` would be replaced by an empty one/);
    assert.match(text, /\*\*replaced:\*\* `AWS::S3::Bucket` `Files`: `BucketName` was `"one"` and is `"two"`/);
  });

  it("is in danger when its stack is gone", () => {
    const text = templateReport(of({ Table: TABLE }), new Map([["other", { Resources: {} }]]));
    assert.match(text, /CAUTION[^#]*it would be deleted/);
    assert.match(text, /The stack is gone\.\*\* What was deployed of it stays/);
  });

  it("stops a deployment when it would be lost, and only then", () => {
    const losses = (before: Json, after: Json): number => lossesOf(of(before), of(after)).length;
    const renamed = { ...BUCKET, Properties: { BucketName: "two" } };
    const unkept = { ...TABLE, DeletionPolicy: "Delete" };
    assert.deepEqual([losses({ Files: BUCKET }, {}), losses({ Files: BUCKET }, { Files: renamed }), losses({ Table: TABLE }, {})], [1, 1, 1]);
    assert.deepEqual([losses({ Table: TABLE }, { Table: unkept }), losses({}, { Files: BUCKET }), losses({ Files: BUCKET }, { Files: BUCKET })], [0, 0, 0]);
    // A stack that is not synthesized any more stays; a nested one goes.
    const nested = new Map([["Domain.nested", { Resources: { Files: BUCKET } }]]);
    assert.deepEqual([lossesOf(of({ Files: BUCKET }), new Map()).length, lossesOf(nested, new Map()).length], [0, 1]);
  });

  it("is safe when both are new", () => {
    assert.doesNotMatch(report({}, { Table: TABLE, Files: BUCKET }), /CAUTION/);
  });
});

describe("noise", () => {
  const code = (key: string): Json => ({ Type: "AWS::Lambda::Function", Properties: { Code: { S3Key: key } } });

  it("code is said to have changed, without its hashes", () => {
    const text = report({ F: code("aaaa.zip") }, { F: code("bbbb.zip") });
    assert.match(text, /^- Code changed: `F`$/m);
    assert.doesNotMatch(text, /aaaa|bbbb/);
  });

  it("outputs and descriptions are named", () => {
    const before = new Map([["service", { Description: "a", Resources: {}, Outputs: { Url: { Value: "a" }, Old: { Value: "a" } } }]]);
    const after = new Map([["service", { Description: "b", Resources: {}, Outputs: { Url: { Value: "b" } } }]]);
    assert.match(templateReport(before, after), /- In outputs: `Old` is gone, `Url` changed\n- The description changed/);
  });

  it("a long list is cut, and says so", () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`Topic${at}`, { Type: "AWS::SNS::Topic" }]));
    assert.match(report({}, many), /and 10 more/);
  });

  it("what a branch wrote stays inside its quotation marks", () => {
    const named = (name: string): Json => ({ Topic: { Type: "AWS::SNS::Topic", Properties: { DisplayName: name } } });
    assert.match(report(named("a"), named("`\n@all")), /was `"a"` and is `"'\\n@all"`/);
  });
});

describe("the commands", () => {
  const run = (...given: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [APP, ...given], { encoding: "utf8" });

  it("compare two folders, and name one that holds nothing", () => {
    synthesize({ directory: "difference-everything", stage: "prod", config: EVERYTHING });
    const folder = assembly("difference-everything");
    const same = run("template-diff", folder, folder);
    assert.deepEqual([same.status, same.stdout], [0, "## Templates\n\nThe templates are unchanged.\n"]);
    const nothing = run("template-diff", folder, join(PACKAGE, "handlers"));
    assert.equal(nothing.status, 1);
    assert.match(nothing.stderr, /handlers holds no synthesized templates/);
    assert.match(run("template-diff").stderr, /Give the folder of the older/);
  });

  it("make a placeholder for each function", () => {
    const folder = mkdtempSync(join(tmpdir(), "placeholders-"));
    assert.equal(run("placeholders", folder).status, 0);
    for (const { name } of rawContract().procedures) {
      assert.ok(existsSync(join(folder, `testbed-${functionName(name)}`, "bootstrap")), name);
    }
  });
});
