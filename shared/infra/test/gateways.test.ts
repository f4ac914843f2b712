/** The gateways: they reach procedures by invoking them, and have no other right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseContract } from "../src/contract.js";
import { gatewayEnvironment } from "../src/environment.js";
import type { Names } from "../src/names.js";
import type { StageConfig } from "../src/stage.js";
import { DYNAMODB_ACTIONS } from "./actions.js";
import { allows, type Request, type Statement } from "./policy.js";
import { functionArn, logStreamArn, rolesOf, secretArn, TABLE } from "./roles.js";
import { ALL_OF_OURS, BARE, EVERYTHING, functionName, type Json, rawContract, type Resource, type Synthesis, synthesize } from "./support.js";
import { gatewaysOf, synthetic } from "./synthetic.js";

const raw = rawContract();
const usual = raw.procedures.filter(({ http }) => http === null).map(({ name }) => name);
const gateways = gatewaysOf(usual);
const contract = parseContract({ ...raw, gateways });
const PREFIX = `${raw.service}-prod`;
const synthesis = synthesize({ directory: "gateways", stage: "prod", config: ALL_OF_OURS, contract });

const handlerOf = (of: Synthesis, name: string): Resource =>
  of.all("AWS::Lambda::Function").find((found) => found.properties.FunctionName === name) ?? assert.fail(`there is no function ${name}`);
const variablesOf = (of: Synthesis, name: string): Json => {
  const handler = handlerOf(of, name);
  return handler.template.resolve(handler.properties.Environment.Variables);
};

describe("every gateway", () => {
  for (const { name, paths, calls, memoryMb, timeoutMs } of gateways) {
    const handler = handlerOf(synthesis, `${PREFIX}-gateway-${name}`);
    const { template, properties } = handler;

    it(`${name} has a function as the contract says, and a log group of its own`, () => {
      assert.equal(properties.MemorySize, memoryMb);
      assert.ok(properties.Timeout * 1000 > timeoutMs && properties.Timeout <= 30);
      assert.equal(properties.ReservedConcurrentExecutions, undefined);
      const groups = template.resources.filter(({ type }) => type === "AWS::Logs::LogGroup");
      assert.ok(groups.some((group) => group.properties.LogGroupName === `/${raw.service}/prod/gateway-${name}` && group.properties.RetentionInDays === 90));
    });

    it(`${name} knows where the service is${calls ? ", and where its procedures are" : ""}; no secret and no table`, () => {
      assert.deepEqual(variablesOf(synthesis, `${PREFIX}-gateway-${name}`), {
        ONEFOLD_URL: "https://app.example.com",
        ONEFOLD_APP_URL: "https://app.example.com/in",
        ONEFOLD_ALLOWED_ORIGINS: "https://app.example.com",
        ONEFOLD_ADDRESS_HEADER: "x-viewer-address",
        ONEFOLD_DOCUMENTS: "off",
        ...(calls ? { ONEFOLD_FUNCTIONS: `${PREFIX}-{}` } : {}),
      });
    });

    it(`${name} has a route for each of its paths, which its API alone may use, through the front`, () => {
      const integrations = template.resources.filter((found) => found.type === "AWS::ApiGatewayV2::Integration" && found.properties.IntegrationUri["Fn::GetAtt"][0] === handler.id);
      assert.equal(integrations.length, 1);
      const routes = template.resources.filter((found) => found.type === "AWS::ApiGatewayV2::Route" && found.properties.Target["Fn::Join"][1][1].Ref === integrations[0]!.id);
      assert.deepEqual(routes.map((route) => route.properties.RouteKey), paths.map((path) => `ANY ${path}`));
      assert.ok(routes.every((route) => route.properties.AuthorizationType === "CUSTOM"));
      const permissions = template.resources.filter((found) => found.type === "AWS::Lambda::Permission" && found.properties.FunctionName["Fn::GetAtt"][0] === handler.id);
      const sources = permissions.map((permission) => template.resolve(permission.properties.SourceArn).replace(/^.*\}\/\*\/\*/, ""));
      assert.deepEqual(sources, paths.map((path) => path.replace("{proxy+}", "*")));
    });
  }

  it("tells everybody what there is to call, but for production, unless the stage says otherwise", () => {
    const said = (stage: string, config: StageConfig) => gatewayEnvironment(gateways[0]!, { names: { stage, prefix: PREFIX } as Names, config, url: undefined })["ONEFOLD_DOCUMENTS"];
    assert.deepEqual(["dev", "pr-7", "prod"].map((stage) => said(stage, BARE)), [undefined, undefined, "off"]);
    assert.deepEqual(["dev", "pr-7", "prod"].map((stage) => said(stage, { ...BARE, documents: true })), [undefined, undefined, undefined]);
    assert.deepEqual(["dev", "pr-7", "prod"].map((stage) => said(stage, { ...BARE, documents: false })), ["off", "off", "off"]);
  });

  it("is built beside the procedures, and missed when it is not", () => {
    assert.equal(synthesis.all("AWS::Lambda::Function").filter(({ properties }) => properties.Runtime === "provided.al2023").length, raw.procedures.length + gateways.length);
  });
});

describe("the rights of a gateway", () => {
  const tags = { "onefold:service": raw.service, "onefold:stage": "prod" };
  const invoke = (name: string, more: Partial<Request> = {}): Request => ({ action: "lambda:InvokeFunction", resource: functionArn(name), leadingKeys: [], tags, ...more });
  const nameOf = (prefix: string, procedure: string): string => `${prefix}-${functionName(procedure)}`;
  const roleOf = (of: Synthesis, name: string): Statement[] => rolesOf(of).get(name) ?? assert.fail(`${name} has no role`);

  for (const { name, invokes } of gateways) {
    it(`${name}: ${invokes.length === 0 ? "to invoke nothing" : "to invoke the procedures that are in styles, and nothing else"}`, () => {
      const role = roleOf(synthesis, `${PREFIX}-gateway-${name}`);
      for (const procedure of raw.procedures) {
        assert.equal(allows(role, invoke(nameOf(PREFIX, procedure.name))), invokes.includes(procedure.name), procedure.name);
      }
      const one = usual[0]!;
      for (const other of [...gateways.map((found) => `${PREFIX}-gateway-${found.name}`), `${nameOf(PREFIX, one)}s`, nameOf(`${raw.service}-dev`, one), nameOf("other-prod", one), "x"]) {
        assert.ok(!allows(role, invoke(other)), other);
      }
      assert.ok(!allows(role, invoke("x", { resource: "*" })));
      for (const action of ["lambda:InvokeAsync", "lambda:GetFunction", "lambda:UpdateFunctionCode", "lambda:InvokeFunctionUrl"]) {
        assert.ok(!allows(role, invoke(nameOf(PREFIX, one), { action })), action);
      }
    });

    it(`${name}: to write its own log, to send traces, and to nothing that is stored`, () => {
      const role = roleOf(synthesis, `${PREFIX}-gateway-${name}`);
      const others = role.flatMap(({ actions }) => actions).filter((action) => action !== "lambda:InvokeFunction");
      assert.deepEqual([...new Set(others)].sort(), ["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]);
      const may = (action: string, resource: string): boolean => allows(role, { action, resource, leadingKeys: [], tags });
      assert.ok(may("logs:PutLogEvents", logStreamArn(`/${raw.service}/prod/gateway-${name}`)));
      assert.ok(!may("logs:PutLogEvents", logStreamArn(`/${raw.service}/prod/${usual[0]}`)));
      assert.ok(!may("secretsmanager:GetSecretValue", secretArn(`${raw.service}/prod`)));
      assert.deepEqual(DYNAMODB_ACTIONS.filter((action) => may(action, TABLE) || may(action, `${TABLE}/index/gsi1`)), []);
    });
  }

  it("of a large service name its procedures by folder and tags, and fit into a role's policies", () => {
    const large = synthetic({ ...Object.fromEntries(Array.from({ length: 24 }, (_, at) => [`domain${at}`, 12])), twoWords: 12 }, { rest: true, gateways: true });
    const of = synthesize({ directory: "gateways-large", stage: "prod", config: EVERYTHING, contract: large });
    const prefix = `${large.service}-prod`;
    const role = roleOf(of, `${prefix}-gateway-graphql`);
    for (const { name } of large.procedures) {
      assert.ok(allows(role, invoke(nameOf(prefix, name))), name);
      assert.ok(!allows(role, invoke(nameOf(prefix, name), { tags: { ...tags, "onefold:service": "other" } })), "another service may have such a name");
      assert.ok(!allows(role, invoke(nameOf(prefix, name), { tags: { ...tags, "onefold:stage": "dev" } })));
    }
    for (const other of ["gateway-graphql", "gateway-trpc", "gateway-docs"]) {
      assert.ok(!allows(role, invoke(`${prefix}-${other}`)), other);
    }
    assert.ok(policyCharacters(of, `${prefix}-gateway-graphql`) <= 10_240);
    // What the tags are held against: every function has them.
    const tagsOf = (handler: Resource): Json => Object.fromEntries(handler.properties.Tags.map(({ Key, Value }: Json) => [Key, Value]));
    assert.ok(of.all("AWS::Lambda::Function").every((handler) => tagsOf(handler)["onefold:service"] === large.service && tagsOf(handler)["onefold:stage"] === "prod"));
  });

  it("of the largest service that is named in full fit as well", () => {
    for (const count of [90, 100, 110, 120, 130]) {
      const of = synthesize({ directory: "gateways-full", stage: "prod", config: EVERYTHING, contract: synthetic({ orders: count }, { gateways: true }) });
      assert.ok(policyCharacters(of, `${raw.service}-prod-gateway-trpc`) <= 10_240, String(count));
    }
  });
});

/** How long a function's policy is at IAM: with references written out at their longest, and without white space. */
function policyCharacters(of: Synthesis, name: string): number {
  const handler = handlerOf(of, name);
  const role = handler.template.resources.find(({ id }) => id === handler.properties.Role["Fn::GetAtt"][0]);
  const [policy] = role!.properties.Policies;
  const longest: Record<string, string> = { "AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-1", "AWS::AccountId": "111122223333" };
  return JSON.stringify(handler.template.resolve(policy.PolicyDocument)).replace(/\$\{([^}]+)\}/g, (_, found: string) => longest[found] ?? assert.fail(found)).length;
}

describe("in front", () => {
  const behaviorsOf = (of: Synthesis): Json[] => of.only("AWS::CloudFront::Distribution").properties.DistributionConfig.CacheBehaviors;

  it("CloudFront lets the paths of gateways and REST through as those of calls", () => {
    const behaviors = behaviorsOf(synthesis);
    const calls = behaviors.find(({ PathPattern }) => PathPattern === "/trpc/*");
    for (const path of ["/graphql", "/docs", "/docs/*", "/openapi.json", "/v1/*"]) {
      const found = behaviors.find(({ PathPattern }) => PathPattern === path) ?? assert.fail(`there is no behavior for ${path}`);
      // What has versions is not compressed: see templates.test.ts.
      assert.deepEqual({ ...found, PathPattern: "" }, { ...calls, PathPattern: "", Compress: path !== "/v1/*" });
      assert.ok(["PATCH", "DELETE", "PUT", "OPTIONS", "HEAD"].every((method) => found.AllowedMethods.includes(method)));
    }
    assert.equal(behaviors.at(-1), calls);
    assert.ok(!behaviors.some(({ PathPattern }) => PathPattern.includes("{")));
  });

  it("every HTTP API takes batches, and the first one the rest", () => {
    const pinned = { ...EVERYTHING, layout: { apis: 4 } };
    const of = synthesize({ directory: "gateways-apis", stage: "prod", config: pinned, contract: synthetic({ orders: 8, users: 8, chat: 8, teams: 8 }, { rest: true, gateways: true }) });
    const routes = of.all("AWS::ApiGatewayV2::Route");
    const apisOf = (key: string): string[] => routes.filter((route) => route.properties.RouteKey === key).map((route) => route.template.resolve(route.properties.ApiId)).sort();
    assert.equal(new Set(apisOf("ANY /trpc/{proxy+}")).size, 4);
    assert.equal(apisOf("ANY /graphql").length, 1);
    assert.match(apisOf("ANY /graphql")[0]!, /Api0/);
    assertFound(of, routes);
  });

  it("a collection whose name begins with another's is found where it is", () => {
    const molds = synthetic({ user: 4, users: 4, user2: 4, chat: 4 }, { rest: true });
    for (let apis = 2; apis <= 8; apis *= 2) {
      const of = synthesize({ directory: "gateways-names", stage: "prod", config: { ...EVERYTHING, layout: { apis } }, contract: molds });
      assertFound(of, of.all("AWS::ApiGatewayV2::Route"));
    }
  });

  it("without an edge no header says who calls, and pages of any origin may call", () => {
    const bare = synthesize({ directory: "gateways-bare", stage: "pr-7", config: BARE, contract });
    const variables = variablesOf(bare, `${raw.service}-pr-7-gateway-graphql`);
    assert.deepEqual(Object.keys(variables).sort(), ["ONEFOLD_FUNCTIONS", "ONEFOLD_URL"]);
    assert.equal(variables["ONEFOLD_FUNCTIONS"], `${raw.service}-pr-7-{}`);
  });
});

/** CloudFront takes the first behavior that fits: it leads to the API that has the route. */
function assertFound(of: Synthesis, routes: readonly Resource[]): void {
  const distribution = of.only("AWS::CloudFront::Distribution");
  const { CacheBehaviors, Origins } = distribution.properties.DistributionConfig;
  const hosts = new Map(Origins.map((origin: Json) => [origin.Id, distribution.template.resolve(origin.DomainName)]));
  const checked = routes.filter(({ properties: { RouteKey } }) => RouteKey !== "$default" && !RouteKey.endsWith("/trpc/{proxy+}"));
  assert.notEqual(checked.length, 0);
  for (const route of checked) {
    const path = route.properties.RouteKey.split(" ")[1].replace("{proxy+}", "x").replaceAll(/\{\w+\}/g, "1");
    const behavior = CacheBehaviors.find(({ PathPattern: pattern }: Json) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern));
    const api = route.template.resolve(route.properties.ApiId);
    assert.ok(String(hosts.get(behavior?.TargetOriginId)).startsWith(`${api}.execute-api.`), path);
  }
}
