import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseContract } from "../src/contract.js";
import { checkProduction } from "../src/needs.js";
import { Problem } from "../src/problem.js";
import { RATE_LIMITS } from "../src/rate-rules.js";
import { chooseStage, mailAddress, rateLimitsOf, type StageConfig, type Stages, statedUrl, tellsDocuments } from "../src/stage.js";
import { stages } from "./stages.js";
import { APP, BARE, EVERYTHING, functionName, PACKAGE, type Json, rawContract, synthesize } from "./support.js";
import { synthetic } from "./synthetic.js";

const { service } = rawContract();

function problemWith(name: keyof Stages, change: Partial<StageConfig> | Json): string {
  const changed = { ...stages, [name]: { ...stages[name], ...change } };
  try {
    chooseStage(changed, name === "preview" ? "pr-7" : name);
  } catch (error) {
    assert.ok(error instanceof Problem);
    return error.message;
  }
  assert.fail("the stage was accepted");
}

describe("choosing", () => {
  it("dev, prod and previews by number are there, and the project's own make sense", () => {
    assert.deepEqual(chooseStage(stages, "dev"), { name: "dev", config: stages.dev });
    assert.deepEqual(chooseStage(stages, "prod"), { name: "prod", config: stages.prod });
    assert.deepEqual(chooseStage(stages, "pr-7"), { name: "pr-7", config: stages.preview });
  });

  it("another name is refused with those that are there", () => {
    assert.throws(() => chooseStage(stages, undefined), /^Problem: No stage is given: stages are dev, prod/);
    for (const name of ["staging", "pr-", "pr-0", "pr-7x", "preview", "constructor"]) {
      assert.throws(() => chooseStage(stages, name), /^Problem: There is no stage ".*": stages are/);
    }
  });

  it("the processor can be another one", () => {
    assert.equal(chooseStage(stages, "dev", "x86_64").config.architecture, "x86_64");
    assert.throws(() => chooseStage(stages, "dev", "mips"), /architecture is none of arm64, x86_64/);
  });
});

describe("a stage that makes no sense is refused", () => {
  it("unprotected production, and a preview that could not be removed", () => {
    assert.match(problemWith("prod", { protectData: false }), /^Stage prod in stages\.ts:\n {2}- protectData must be true/);
    assert.match(problemWith("preview", { protectData: true }), /protectData must be false/);
  });

  it("throttling that lets nobody in", () => {
    assert.match(problemWith("dev", { throttle: { ratePerSecond: 0, burst: 0.5 } }), /ratePerSecond is no.*\n.*burst is no/);
  });

  it("origins that are none", () => {
    for (const origin of ["app.example.com", "https://app.example.com/", "https://app.example.com/x", "*"]) {
      assert.match(problemWith("dev", { allowedOrigins: [origin] }), /is no origin such as/);
    }
  });

  it("addresses that are none, or not the stage's", () => {
    for (const url of ["http://api.example.com", "https://api.example.com/", "https://api.example.com/x", "api.example.com", ""]) {
      assert.match(problemWith("dev", { url }), /- url is no address such as https:\/\/api\.example\.com/, url);
    }
    assert.match(problemWith("preview", { url: "https://api.example.com" }), /url must not be stated: each preview has its own address/);
    const certificateArn = "arn:aws:acm:us-east-1:111122223333:certificate/1";
    const edge = { domain: { names: ["a.example.com", "b.example.com"] as const, certificateArn } };
    assert.match(problemWith("prod", { edge, url: "https://c.example.com" }), /url is none of edge\.domain\.names/);
    const named = { ...stages.prod, edge, url: "https://b.example.com" };
    assert.equal(statedUrl(chooseStage({ ...stages, prod: named }, "prod").config), "https://b.example.com");
    for (const appUrl of ["app.example.com", "http://app.example.com", "https://app.example.com/?a=b", "https://app.example.com?", "https://app.example.com/#", " https://app.example.com", "https://app. example.com", "https://app.example.com:99999", "https://app.example.com:443", "HTTPS://app.example.com", "https://app.example.com/#a", "https://a:b@app.example.com"]) {
      assert.match(problemWith("dev", { appUrl }), /appUrl is no address such as https:\/\/app\.example\.com/, appUrl);
    }
    assert.match(problemWith("prod", { appUrl: "http://localhost:5173" }), /appUrl is no address/);
    assert.equal(chooseStage({ ...stages, dev: { ...stages.dev, appUrl: "http://localhost:5173" } }, "dev").config.appUrl, "http://localhost:5173");
  });

  it("a sender that is none, and names that no secret has", () => {
    for (const mailFrom of ["no-reply", "no-reply@localhost", "No-Reply@example.com", "Us <No-Reply@example.com>", "Us <a@example.com> b", "Us\nBcc <a@example.com>", "*@example.com", "a@b@example.com"]) {
      assert.match(problemWith("dev", { mailFrom }), /mailFrom is no address in small letters such as no-reply@example\.com/, mailFrom);
    }
    assert.deepEqual(["a@example.com", "Our Office <a@example.com>"].map(mailAddress), ["a@example.com", "a@example.com"]);
    for (const secret of ["Providers", "a/b", "*", ""]) {
      assert.match(problemWith("dev", { secrets: [secret] }), /secrets: ".*" is no name such as identity-providers/, secret);
    }
  });

  it("a certificate or a web ACL that CloudFront cannot use", () => {
    const certificateArn = "arn:aws:acm:eu-central-1:111122223333:certificate/1";
    assert.match(problemWith("prod", { edge: { domain: { names: ["a.example.com"], certificateArn } } }), /no ACM certificate in us-east-1/);
    const webAclArn = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/a/1";
    assert.match(problemWith("prod", { edge: { webAclArn } }), /no WAFv2 web ACL of scope CLOUDFRONT/);
  });

  it("limits for each address that AWS WAF does not take, or that belong to no web ACL", () => {
    for (const limit of [9, 0, 10.5, 2_000_000_001]) {
      assert.match(problemWith("prod", { edge: { rateLimits: { signIns: limit } } }), /edge\.rateLimits\.signIns is no whole number from 10 to 2000000000/, String(limit));
    }
    const webAclArn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/front/1";
    assert.match(problemWith("prod", { edge: { webAclArn, rateLimits: {} } }), /edge has both webAclArn and rateLimits/);
    assert.deepEqual(rateLimitsOf({ ...BARE, edge: { rateLimits: { signIns: 20 } } }), { ...RATE_LIMITS, signIns: 20 });
    for (const config of [BARE, { ...BARE, edge: { rateLimits: false } }, { ...BARE, edge: { webAclArn } }] as const) {
      assert.equal(rateLimitsOf(config), undefined);
    }
  });

  it("registration for nobody in particular, or at what is no domain", () => {
    assert.match(problemWith("prod", { registration: [] }), /registration is an empty list: state "closed"/);
    for (const domain of ["Example.com", "@example.com", "localhost", "*.example.com", "a.example,b.example"]) {
      assert.match(problemWith("prod", { registration: [domain] }), /registration: ".*" is no domain in small letters such as example\.com/, domain);
    }
  });

  it("a budget that tells nobody", () => {
    assert.match(problemWith("prod", { monthlyBudgetUsd: 10 }), /needs alarmEmail/);
    assert.match(problemWith("prod", { monthlyBudgetUsd: 0, alarmEmail: "a@example.com" }), /not above zero/);
  });

  it("a number of parts that is none", () => {
    assert.match(problemWith("prod", { layout: { apis: 0, stacks: { orders: 1.5 } } }), /layout\.apis is no.*\n.*layout\.stacks\.orders is no/);
  });
});

describe("production", () => {
  const domain = EVERYTHING.edge!.domain!;
  const whole: StageConfig = { ...BARE, alarmEmail: "operations@example.com", edge: { domain } };
  const missing = (name: string, config: StageConfig): string[] => {
    try {
      checkProduction({ name, config });
      return [];
    } catch (error) {
      assert.ok(error instanceof Problem);
      return [...error.message.matchAll(/^ {2}- ([\w.]+): /gm)].map(([, what]) => what!);
    }
  };

  it("is not deployed without somebody who is told, and a TLS policy of its own", () => {
    assert.deepEqual(missing("prod", whole), []);
    assert.deepEqual(missing("prod", { ...BARE, edge: { domain } }), ["alarmEmail"]);
    assert.deepEqual(missing("prod", { ...whole, edge: {} }), ["edge.domain"]);
    assert.deepEqual(missing("prod", { ...BARE, edge: {} }), ["alarmEmail", "edge.domain"]);
    assert.deepEqual(missing("prod", { ...BARE, alarmEmail: "operations@example.com" }), [], "an HTTP API has no older TLS");
  });

  it("alone must have them", () => {
    for (const name of ["dev", "pr-7"]) {
      assert.deepEqual(missing(name, { ...BARE, edge: {} }), []);
    }
  });

  it("tells nobody what there is to call", () => {
    assert.ok(!tellsDocuments({ name: "prod", config: stages.prod }));
    assert.ok(["dev", "pr-7"].every((name) => tellsDocuments({ name, config: stages.dev })));
  });
});

describe("a preview", () => {
  const synthesis = synthesize({ directory: "preview", stage: "pr-7", config: BARE });

  it("goes without a trace", () => {
    const table = synthesis.only("AWS::DynamoDB::Table");
    assert.equal(table.deletionPolicy, "Delete");
    assert.equal(table.properties.DeletionProtectionEnabled, false);
    const kept = synthesis.templates.flatMap((template) => template.resources).filter((resource) => resource.deletionPolicy === "Retain");
    assert.deepEqual(kept, []);
  });

  it("is called at its HTTP API, and has no front that would be waited for", () => {
    assert.deepEqual(synthesis.all("AWS::CloudFront::Distribution"), []);
    assert.deepEqual(synthesis.all("AWS::ApiGatewayV2::Authorizer"), []);
    for (const route of synthesis.all("AWS::ApiGatewayV2::Route")) {
      assert.equal(route.properties.AuthorizationType, "NONE");
    }
    const { Url } = synthesis.template(`${service}-pr-7-service`).json.Outputs;
    assert.match(JSON.stringify(Url.Value), /execute-api.*\/trpc"/);
  });

  it("traces nothing, and its roles may not", () => {
    assert.ok(synthesis.all("AWS::Lambda::Function").every((handler) => handler.properties.TracingConfig === undefined));
    assert.ok(synthesis.all("AWS::IAM::Role").every((role) => !JSON.stringify(role.properties).includes("xray")));
  });

  it("has names of its own", () => {
    const names = synthesis.all("AWS::Lambda::Function").map((handler) => handler.properties.FunctionName).filter(Boolean);
    assert.ok(names.length > 0 && names.every((name: string) => name.startsWith(`${service}-pr-7-`)));
  });
});

describe("an address", () => {
  const domains = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`domain${at}`, 20]));

  it("is one: a stage whose procedures need several HTTP APIs needs an edge", () => {
    const wishes = { directory: "address", stage: "pr-1", contract: synthetic(domains), config: BARE };
    assert.throws(() => synthesize(wishes), /^Problem: \d HTTP APIs are needed; give the stage an `edge`/);
  });
});

describe("wishes of a stage and of a contract", () => {
  it("another processor and a stated concurrency reach the functions", () => {
    const raw = rawContract();
    raw.procedures.forEach((procedure) => (procedure.reservedConcurrency = null));
    const chosen = raw.procedures[1]!;
    chosen.reservedConcurrency = 3;
    const config: StageConfig = { ...BARE, architecture: "x86_64" };
    const synthesis = synthesize({ directory: "wishes", stage: "pr-1", contract: parseContract(raw), config });
    const handlers = synthesis.all("AWS::Lambda::Function");
    assert.deepEqual(new Set(handlers.map((handler) => handler.properties.Architectures[0])), new Set(["x86_64"]));
    const reserved = handlers.filter((handler) => handler.properties.ReservedConcurrentExecutions !== undefined);
    assert.deepEqual(
      reserved.map((handler) => [handler.properties.FunctionName, handler.properties.ReservedConcurrentExecutions]),
      [[`${service}-pr-1-${functionName(chosen.name)}`, 3]],
    );
  });

  it("a stage may say no to reserved concurrency, which a new account does not have", () => {
    const raw = rawContract();
    raw.procedures[1]!.reservedConcurrency = 3;
    const config: StageConfig = { ...BARE, reservedConcurrency: false };
    const synthesis = synthesize({ directory: "unreserved", stage: "pr-1", contract: parseContract(raw), config });
    assert.ok(synthesis.all("AWS::Lambda::Function").every(({ properties }) => properties.ReservedConcurrentExecutions === undefined));
  });
});

describe("the command", () => {
  const run = (...context: string[]): { status: number | null; stderr: string } => {
    const json = Object.fromEntries(context.map((pair) => pair.split("=")));
    const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(json), CDK_OUTDIR: join(PACKAGE, "build/assemblies/command") };
    return spawnSync(process.execPath, [APP], { encoding: "utf8", env });
  };

  it("says what is wrong in one message, without a stack trace", () => {
    const { status, stderr } = run("stage=staging");
    assert.equal(status, 1);
    assert.match(stderr, /^There is no stage "staging": stages are .*\n$/);
  });

  it("says how to build functions that are missing", () => {
    const { status, stderr } = run("stage=dev", "binaries=/nowhere");
    assert.equal(status, 1);
    assert.match(stderr, /^Not built under \/nowhere: \w+\.\w+, .*\. Run `cargo lambda build --release --arm64 -p testbed -p testbed-gateways` first\.\n$/);
  });

  it("synthesizes from the contract that the app names", () => {
    const { status, stderr } = run("stage=dev", `binaries=${join(PACKAGE, "build/assemblies/preview/binaries")}`);
    assert.equal(status, 0, stderr);
  });
});
