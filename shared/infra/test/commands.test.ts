import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CloudFormationClient, type StackStatus } from "@aws-sdk/client-cloudformation";
import { explained } from "../src/commands/aws.js";
import { stacksOf } from "../src/commands/deploy.js";
import { removable } from "../src/commands/destroy.js";
import { parseSpan } from "../src/commands/logs.js";
import { checkIdle, checkState, deployedTemplates, isEmpty } from "../src/commands/stacks.js";
import { parseContract } from "../src/contract.js";
import { Names } from "../src/names.js";
import { Problem } from "../src/problem.js";
import type { StageConfig } from "../src/stage.js";
import { readAssembly } from "../src/template-diff.js";
import { APP, BARE, type Json, rawContract } from "./support.js";

describe("logs", () => {
  it("spans of time", () => {
    assert.deepEqual(["90s", "10m", "2h", "1d"].map(parseSpan), [90_000, 600_000, 7_200_000, 86_400_000]);
    for (const text of ["", "10", "m", "-1m", "1.5h", "10 m", "1w", "1m1s", "9999999s"]) {
      assert.throws(() => parseSpan(text), /is no span of time such as/, text);
    }
  });
});

describe("the state of a stack", () => {
  const check = (status: StackStatus, isProtected = false) => () =>
    checkState("sample-dev-data", {
      StackName: "",
      CreationTime: new Date(),
      StackStatus: status,
      EnableTerminationProtection: isProtected,
    });

  it("somebody else's deployment is waited for, and a failed way back is mended first", () => {
    for (const status of ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"] as const) {
      assert.throws(check(status), /is being changed at this moment/);
    }
    assert.throws(check("UPDATE_ROLLBACK_FAILED"), /continue-update-rollback --stack-name sample-dev-data/);
  });

  it("what is left over of a failure is removed first, by hand where CDK does not do it", () => {
    const protectedOne = /left over.*update-termination-protection --stack-name sample-dev-data.*delete-stack --stack-name sample-dev-data/s;
    assert.throws(check("ROLLBACK_COMPLETE", true), protectedOne);
    for (const status of ["ROLLBACK_FAILED", "DELETE_FAILED"] as const) {
      assert.throws(check(status), (problem: Error) => /delete-stack/.test(problem.message) && !/termination/.test(problem.message));
    }
  });

  it("a stack at rest is deployed over, and so is one whose change set nobody carried out", () => {
    for (const status of ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"] as const) {
      check(status)();
    }
  });
});

it("a removal waits for nobody but whoever is changing the stack", () => {
  const stack = (StackStatus: StackStatus) => ({ StackName: "", CreationTime: new Date(), StackStatus });
  assert.throws(() => checkIdle("s", stack("UPDATE_IN_PROGRESS")), /is being changed/);
  for (const status of ["DELETE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"] as const) {
    checkIdle("s", stack(status));
  }
  assert.deepEqual((["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_COMPLETE"] as const).map((status) => isEmpty(stack(status))), [true, true, false]);
});

describe("the stacks of a stage", () => {
  const contract = parseContract(rawContract());
  const WITH_FRONT: StageConfig = { ...BARE, edge: {} };
  const WITHOUT_ACL: StageConfig = { ...BARE, edge: { rateLimits: false } };
  const project = (name: string, config: StageConfig) => ({ stage: { name, config }, names: new Names(contract, { name, config }) });
  /** A region in which all these stacks are, or in which nobody may ask. */
  function region(rooms: string[] | "denied"): CloudFormationClient {
    const send = async ({ input }: { input: { StackName: string } }): Promise<Json> => {
      if (rooms === "denied") {
        throw Object.assign(new Error("User: arn:… is not authorized to perform: cloudformation:DescribeStacks"), { name: "AccessDenied" });
      }
      if (!rooms.some((room) => input.StackName.endsWith(`-${room}`))) {
        throw Object.assign(new Error(`Stack with id ${input.StackName} does not exist`), { name: "ValidationError" });
      }
      return { Stacks: [{ StackName: input.StackName, StackStatus: "UPDATE_COMPLETE" }] };
    };
    return { send } as unknown as CloudFormationClient;
  }
  const rooms = (stage: string, ...found: string[]): string[] => found.map((room) => `${contract.service}-${stage}-${room}`);
  const DENIED = { cloudFormation: region(["data", "service", "edge", "operations"]), firewallFormation: region("denied") };
  const ANSWERED = { ...DENIED, firewallFormation: region(["firewall"]) };

  it("of a preview are deployed and removed by who may ask nothing in us-east-1", async () => {
    assert.deepEqual([...(await stacksOf(DENIED, project("pr-7", BARE)))], rooms("pr-7", "data", "service", "edge", "operations"));
    assert.deepEqual(await removable(DENIED, project("pr-7", BARE)), rooms("pr-7", "operations", "edge", "service", "data"));
  });

  it("without a web ACL are deployed by who may ask nothing there", async () => {
    for (const config of [BARE, WITHOUT_ACL]) {
      assert.deepEqual([...(await stacksOf(DENIED, project("dev", config)))], rooms("dev", "data", "service", "edge", "operations"));
    }
    await assert.rejects(stacksOf(DENIED, project("dev", WITH_FRONT)), /^Problem: AWS refuses: /);
  });

  it("with a web ACL have that of the web ACL first, and last when they are removed", async () => {
    assert.deepEqual([...(await stacksOf(ANSWERED, project("dev", WITH_FRONT)))], rooms("dev", "firewall", "data", "service", "edge", "operations"));
    assert.deepEqual(await removable(ANSWERED, project("dev", WITH_FRONT)), rooms("dev", "operations", "edge", "service", "data", "firewall"));
  });

  it("that gave up its web ACL are removed with that of the web ACL, if it is there", async () => {
    for (const config of [BARE, WITHOUT_ACL]) {
      assert.deepEqual(await removable(ANSWERED, project("dev", config)), rooms("dev", "operations", "edge", "service", "data", "firewall"));
      const gone = { ...DENIED, firewallFormation: region([]) };
      assert.deepEqual(await removable(gone, project("dev", config)), rooms("dev", "operations", "edge", "service", "data"));
    }
  });
});

describe("a refusal by AWS", () => {
  const said = (name: string, message: string, code?: string): unknown => explained(Object.assign(new Error(message), { name, code }));

  it("says what to do", () => {
    const cases = [
      [said("CredentialsProviderError", "none"), /No AWS credentials.*aws sso login/s],
      [said("ExpiredTokenException", "old"), /have expired: sign in again/],
      [said("InvalidClientTokenId", "unknown"), /does not know these credentials/],
      [said("AccessDenied", "User: arn:… is not authorized"), /AWS refuses: User: arn:…/],
      [said("Error", "", "ENOTFOUND"), /cannot be reached \(ENOTFOUND\)/],
      [said("TimeoutError", "slow"), /cannot be reached \(slow\)/],
    ] as const;
    for (const [problem, pattern] of cases) {
      assert.ok(problem instanceof Problem);
      assert.match(problem.message, pattern);
    }
  });

  it("is passed on when it is none of these", () => {
    const error = Object.assign(new Error("new"), { name: "SomethingElse" });
    assert.equal(explained(error), error);
    assert.equal(explained("text"), "text");
  });
});

it("what is deployed is read with the names that were synthesized, whatever a nested stack is called", async () => {
  const templates: Record<string, object> = {
    "s-dev-service": { Resources: {} },
    "arn:aws:cloudformation:nested": { Description: "nested" },
    "arn:aws:cloudformation:gone": { Description: "gone" },
  };
  const nested = (id: string, arn: string) =>
    `<StackResourceSummaries><member><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${arn}</PhysicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType></member></StackResourceSummaries>`;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const asked = new URLSearchParams(Buffer.concat(chunks).toString());
    const body =
      asked.get("Action") === "GetTemplate"
        ? `<TemplateBody>${JSON.stringify(templates[asked.get("StackName") ?? ""]).replaceAll('"', "&quot;")}</TemplateBody>`
        : asked.get("NextToken") === "second"
          ? nested("DomainOld", "arn:aws:cloudformation:gone")
          : `${nested("DomainUsers", "arn:aws:cloudformation:nested")}<NextToken>second</NextToken>`;
    const action = asked.get("Action") ?? "";
    response.setHeader("content-type", "text/xml");
    response.end(`<${action}Response><${action}Result>${body}</${action}Result></${action}Response>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const assembly = mkdtempSync(join(tmpdir(), "onefold-assembly-"));
  try {
    const url = { "Fn::Join": ["", ["https://s3.", { Ref: "AWS::Region" }, ".amazonaws.com/assets", "/abc123.json"]] };
    const parent = { Resources: { DomainUsers: { Type: "AWS::CloudFormation::Stack", Properties: { TemplateURL: url } } } };
    writeFileSync(join(assembly, "s-dev-service.template.json"), JSON.stringify(parent));
    writeFileSync(
      join(assembly, "s-dev-service.assets.json"),
      JSON.stringify({ files: { "0ff": { source: { path: "asset.0ff" } }, abc123: { source: { path: "DomainUsers77.nested.template.json" } } } }),
    );
    const client = new CloudFormationClient({
      region: "local",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
    });
    const deployed = await deployedTemplates(() => client, ["s-dev-service"], readAssembly(assembly), assembly);
    client.destroy();
    assert.deepEqual(Object.fromEntries(deployed), {
      "s-dev-service": { Resources: {} },
      "DomainUsers77.nested": { Description: "nested" },
      "DomainOld.nested": { Description: "gone" },
    });
  } finally {
    server.close();
    rmSync(assembly, { recursive: true });
  }
});

it("a command that there is not, and an option", () => {
  for (const [parameters, pattern] of [
    [["promote"], /There is no command "promote"/],
    [["deploy", "--stage", "nowhere"], /There is no stage "nowhere"/],
    [["deploy", "--force"], /Unknown option '--force'/],
  ] as const) {
    const { status, stderr } = spawnSync("node", [APP, ...parameters], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, pattern);
  }
});
