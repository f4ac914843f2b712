/** The web ACL: which address is held to what, at which paths, and how the edge comes to know it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { webAclIn } from "../src/commands/deploy.js";
import { parseContract } from "../src/contract.js";
import { RATE_LIMITS, rateRules } from "../src/rate-rules.js";
import { EVERYTHING, type Json, rawContract, type RawProcedure, synthesize } from "./support.js";

const raw = rawContract();
const synthesis = synthesize({ directory: "firewall", stage: "prod", config: EVERYTHING });
const acl = synthesis.only("AWS::WAFv2::WebACL");
const rules = new Map<string, Json>(acl.properties.Rules.map((rule: Json) => [rule.Name, rule]));

/** Whether a statement of a web ACL takes a request, as AWS WAF decides it; none takes all. */
function takes(statement: Json, path: string, method: string): boolean {
  if (statement === undefined) {
    return true;
  }
  const [[kind, inner]] = Object.entries<Json>(statement) as [[string, Json]];
  switch (kind) {
    case "OrStatement":
      return inner.Statements.some((one: Json) => takes(one, path, method));
    case "AndStatement":
      return inner.Statements.every((one: Json) => takes(one, path, method));
    case "NotStatement":
      return !takes(inner.Statement, path, method);
    case "ByteMatchStatement": {
      const isPath = inner.FieldToMatch.UriPath !== undefined;
      assert.deepEqual(inner.FieldToMatch, isPath ? { UriPath: {} } : { Method: {} });
      assert.deepEqual(inner.TextTransformations, [{ Priority: 0, Type: isPath ? "URL_DECODE" : "NONE" }]);
      const [decoded, text] = [isPath ? decodeURIComponent(path) : method, inner.SearchString as string];
      const fits: Record<string, boolean> = { EXACTLY: decoded === text, STARTS_WITH: decoded.startsWith(text), CONTAINS: decoded.includes(text) };
      return fits[inner.PositionalConstraint] ?? assert.fail(inner.PositionalConstraint);
    }
    default:
      return assert.fail(kind);
  }
}

/** The limits that count a request. */
function limitsAt(path: string, method = "POST"): string[] {
  const counting = [...rules.values()].filter((rule) => takes(rule.Statement.RateBasedStatement.ScopeDownStatement, path, method));
  return counting.map((rule) => rule.Name);
}

const pathsOf = ({ name, http, rest }: RawProcedure): string[] => [http?.split(" ")[1] ?? `/trpc/${name}`, ...(rest === null ? [] : [rest.split(" ")[1]!])];
/** Where strangers give a password or have mail sent. */
const isOpen = ({ auth, mail, input }: RawProcedure): boolean => auth.type === "public" && (mail || /inputTypes\/(Given)?Password"/.test(JSON.stringify(input)));

describe("the web ACL", () => {
  it("is one of CloudFront's, admits what it does not hold back, and samples no request", () => {
    const { Scope, DefaultAction, VisibilityConfig, Rules } = acl.properties;
    assert.deepEqual([Scope, DefaultAction], ["CLOUDFRONT", { Allow: {} }]);
    for (const { SampledRequestsEnabled } of [VisibilityConfig, ...Rules.map((rule: Json) => rule.VisibilityConfig)]) {
      assert.equal(SampledRequestsEnabled, false, "a sample has tokens and cookies");
    }
  });

  it("is in a stack of its own in us-east-1, and the edge takes it as a parameter", () => {
    const stack = synthesis.app.node.findAll().find((found) => found.node.id === `${raw.service}-prod-firewall`) as unknown as { region: string };
    assert.equal(stack.region, "us-east-1");
    assert.equal(acl.template.json.Outputs.WebAclArn.Value["Fn::GetAtt"][1], "Arn");
    const edge = synthesis.template(`${raw.service}-prod-edge`);
    const { Type, AllowedPattern, Default } = edge.json.Parameters.WebAclArn;
    assert.deepEqual([Type, Default], ["String", undefined]);
    const arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/sample-prod-firewall-WebAcl-1/11111111-2222-3333-4444-555555555555";
    const taken = [arn, "", arn.replace("us-east-1", "eu-central-1"), arn.replace("global", "regional"), `x${arn}`].map((value) => new RegExp(AllowedPattern).test(value));
    assert.deepEqual(taken, [true, false, false, false, false]);
    assert.deepEqual(synthesis.only("AWS::CloudFront::Distribution").properties.DistributionConfig.WebACLId, { Ref: "WebAclArn" });
  });

  it("is deployed before the edge, which is not deployed without it", () => {
    assert.equal(webAclIn({ WebAclArn: "arn:…", Url: "https://…" }), "arn:…");
    for (const outputs of [{}, { WebAclArn: "" }] as Record<string, string>[]) {
      assert.throws(() => webAclIn(outputs), { name: "Problem", message: /does not say which web ACL it has \(WebAclArn\)/ });
    }
  });

  it("counts each address by itself over five minutes, and answers 429 with the time to wait", () => {
    assert.deepEqual([...rules.keys()], ["sign-in", "gateways", "requests"]);
    for (const { Statement: { RateBasedStatement: rate }, Action } of rules.values()) {
      assert.deepEqual([rate.AggregateKeyType, rate.EvaluationWindowSec], ["IP", 300]);
      const { ResponseCode, ResponseHeaders, CustomResponseBodyKey } = Action.Block.CustomResponse;
      assert.deepEqual([ResponseCode, ResponseHeaders], [429, [{ Name: "retry-after", Value: "300" }]]);
      assert.doesNotThrow(() => JSON.parse(acl.properties.CustomResponseBodies[CustomResponseBodyKey].Content));
    }
    const limits = [...rules.values()].map((rule) => rule.Statement.RateBasedStatement.Limit);
    assert.deepEqual(limits, [RATE_LIMITS.signIns, RATE_LIMITS.gateways, RATE_LIMITS.requests]);
    assert.ok(RATE_LIMITS.signIns < RATE_LIMITS.gateways && RATE_LIMITS.gateways < RATE_LIMITS.requests);
  });

  it("holds an address to less wherever somebody who is not known gives a password or has mail sent, however the path is written", () => {
    const open = raw.procedures.filter(isOpen);
    assert.ok(open.length > 5);
    const hashing = raw.procedures.filter(({ auth, memoryMb, reservedConcurrency }) => auth.type === "public" && memoryMb >= 1024 && reservedConcurrency !== null);
    assert.ok(hashing.length > 0 && hashing.every((procedure) => open.includes(procedure)), "what hashes passwords is among them");
    for (const path of open.flatMap(pathsOf).map((path) => path.replaceAll(/\{\w+\}/g, "acme"))) {
      assert.deepEqual(limitsAt(path), ["sign-in", "requests"], path);
      const encoded = `${path.slice(0, -1)}%${path.charCodeAt(path.length - 1).toString(16)}`;
      assert.deepEqual(limitsAt(encoded), ["sign-in", "requests"], encoded);
    }
  });

  it("counts among all requests what programs ask for often, though anybody may call it, and what browsers ask beforehand", () => {
    for (const path of ["/oauth/introspect", "/oauth/token", "/oauth/revoke", "/oauth/start", "/trpc/auth.refresh", "/v1/auth/refresh", "/trpc/auth.logout"]) {
      assert.deepEqual(limitsAt(path), ["requests"], path);
    }
    for (const path of ["/trpc/auth.login", "/v1/auth/login", "/oauth/callback/acme", "/graphql", "/trpc/auth.login,auth.login"]) {
      assert.deepEqual(limitsAt(path, "OPTIONS"), ["requests"], path);
      assert.deepEqual(limitsAt(path, "GET"), limitsAt(path), "a wrong method does not lead past");
    }
  });

  it("counts all other procedures and the pages among all requests", () => {
    const open = new Set(raw.procedures.filter(isOpen).flatMap(pathsOf));
    const others = raw.procedures.filter((procedure) => !isOpen(procedure)).flatMap(pathsOf).filter((path) => !open.has(path));
    for (const path of [...others, "/", "/index.html", "/docs", "/openapi.json"]) {
      assert.deepEqual(limitsAt(path), ["requests"], path);
    }
  });

  it("holds an address to less where one request may carry many calls: at gateways, and with batches", () => {
    const spanning = raw.gateways.filter(({ calls }) => calls).flatMap(({ paths }) => paths).filter((path) => !path.includes("{"));
    for (const path of [...spanning, "/trpc/auth.me,auth.login", "/trpc/auth.login%2Cauth.login"]) {
      assert.deepEqual(limitsAt(path), ["gateways", "requests"], path);
    }
  });
});

describe("a stage", () => {
  const without = (edge: NonNullable<typeof EVERYTHING.edge>) => synthesize({ directory: "firewall-not", stage: "dev", config: { ...EVERYTHING, edge } });

  it("may say no, or name a web ACL that is there", () => {
    const none = without({ rateLimits: false });
    assert.deepEqual(none.all("AWS::WAFv2::WebACL"), []);
    assert.equal(none.only("AWS::CloudFront::Distribution").properties.DistributionConfig.WebACLId, undefined);
    const webAclArn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/front/11111111-2222-3333-4444-555555555555";
    const own = without({ webAclArn });
    assert.deepEqual(own.all("AWS::WAFv2::WebACL"), []);
    assert.equal(own.only("AWS::CloudFront::Distribution").properties.DistributionConfig.WebACLId, webAclArn);
  });

  it("may state other numbers, and keeps those that it does not state", () => {
    const other = without({ rateLimits: { signIns: 20 } }).only("AWS::WAFv2::WebACL").properties.Rules;
    assert.deepEqual(other.map((rule: Json) => rule.Statement.RateBasedStatement.Limit), [20, RATE_LIMITS.gateways, RATE_LIMITS.requests]);
  });

  it("with nothing public has no rule for it", () => {
    const procedures = raw.procedures.filter((procedure) => !isOpen(procedure)).map((procedure) => ({ ...procedure, http: null }));
    const gateways = raw.gateways.map((gateway) => ({ ...gateway, invokes: gateway.calls ? [procedures[0]!.name] : [] }));
    assert.deepEqual(rateRules(parseContract({ ...raw, procedures, gateways }), RATE_LIMITS).map(({ name }) => name), ["requests"]);
  });

  it("with more public paths than a web ACL takes is told so", () => {
    const mold = raw.procedures.find(isOpen)!;
    const procedures = Array.from({ length: 130 }, (_, at) => ({ ...mold, name: `open.number${at}`, function: `open-number${at}`, http: null, rest: null }));
    assert.throws(() => rateRules(parseContract({ ...raw, procedures, gateways: [] }), RATE_LIMITS), {
      name: "Problem",
      message: /^1566 units of a web ACL are needed, and AWS WAF takes 1500: at 130 paths anybody may give a password or have a mail sent\./,
    });
    // Paths alone are 124 × 12, and that preflights are not counted 2; a look for commas costs 10 more than one for a whole path.
    const fits = (count: number, gateways: Json[]): boolean => {
      try {
        rateRules(parseContract({ ...raw, procedures: procedures.slice(0, count), gateways }), RATE_LIMITS);
        return true;
      } catch {
        return false;
      }
    };
    assert.deepEqual([fits(124, []), fits(125, [])], [true, false]);
    const batches = [{ ...raw.gateways.find(({ name }) => name === "trpc")!, invokes: [procedures[0]!.name] }];
    assert.deepEqual([fits(121, batches), fits(122, batches)], [true, false]);
  });
});
