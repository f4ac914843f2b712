/**
 * How much one address may ask for, as rules of a web ACL. Which paths are for signing in is told by the contract: there
 * somebody is let in, or something is written, for callers whom nobody knows yet.
 */
import type { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import type { Contract, Procedure } from "./contract.js";
import { isEverywhere } from "./layout.js";
import { Problem } from "./problem.js";
import { pathOf } from "./routes.js";

/** How many requests an address may make in five minutes. */
export interface RateLimits {
  /** Of all kinds, files of the frontend as well. */
  readonly requests: number;
  /** To gateways, where one request may carry many calls. */
  readonly gateways: number;
  /** To procedures that change something and that anybody may call. */
  readonly signIns: number;
}

/** For an office behind one address. What an account or an address may guess at, the procedures themselves count. */
export const RATE_LIMITS: RateLimits = { requests: 6000, gateways: 3000, signIns: 300 };
/** What AWS WAF takes for a limit (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html). */
export const LEAST_LIMIT = 10;
export const MOST_LIMIT = 2_000_000_000;
const WINDOW_S = 300;
/** The body of a refusal, by its key. What a page reads as a failure is what the HTTP API's own throttling says. */
const REFUSAL = "too-many";
export const REFUSALS: Record<string, CfnWebACL.CustomResponseBodyProperty> = {
  [REFUSAL]: { contentType: "APPLICATION_JSON", content: JSON.stringify({ message: "Too Many Requests" }) },
};

/**
 * What a web ACL may cost without a surcharge, in WAF's own units, and what its parts cost: a rate rule, a
 * comparison with the text that it decodes before (https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html).
 */
const MAX_UNITS = 1500;
const RULE_UNITS = 2;
const COMPARISON_UNITS = 2 + 10;

type Rule = CfnWebACL.RuleProperty;
type Statement = CfnWebACL.StatementProperty;

/** The rules, the strictest first. @throws Problem when there are more paths than a web ACL takes */
export function rateRules({ procedures, gateways }: Contract, limits: RateLimits): Rule[] {
  const open = procedures.filter(({ isPublic, kind }) => isPublic && kind === "mutation");
  const names = open.map(({ name }) => name);
  const spanning = gateways.filter(({ invokes }) => invokes.some((name) => names.includes(name))).flatMap(({ paths }) => paths);
  const signIns = open.flatMap(pathsOf).sort().map(path);
  const comparisons = spanning.map((path) => (isEverywhere(path) ? 2 : 1)).reduce((sum, count) => sum + count, signIns.length);
  const units = comparisons * COMPARISON_UNITS + 3 * RULE_UNITS;
  if (units > MAX_UNITS) {
    throw new Problem(
      `${units} units of a web ACL are needed, and AWS WAF takes ${MAX_UNITS}: ${signIns.length} paths lead to mutations that are public. ` +
        "State `edge.rateLimits: false` and make a web ACL of your own.",
    );
  }
  return [
    ...limited("sign-in", 0, limits.signIns, signIns),
    ...limited("gateways", 1, limits.gateways, spanning.sort().map(gatewayPath)),
    rateRule("requests", 2, limits.requests, undefined),
  ];
}

/** The paths at which a procedure is called, each in its own right. */
function pathsOf({ name, http, rest }: Procedure): string[] {
  return [pathOf({ name, http }), ...(rest === undefined ? [] : [rest.path])];
}

/** What is under `/trpc/` and for a gateway is a batch, which names several procedures with commas. */
function gatewayPath(of: string): Statement {
  return isEverywhere(of) ? { andStatement: { statements: [path(of), matched("CONTAINS", ",")] } } : path(of);
}

/** A path; one with a part that stands for any is taken by what comes before that. */
function path(of: string): Statement {
  const end = of.indexOf("{");
  return end === -1 ? matched("EXACTLY", of) : matched("STARTS_WITH", of.slice(0, end));
}

/** An HTTP API decodes a path before it looks for the route. */
function matched(positionalConstraint: string, searchString: string): Statement {
  const textTransformations = [{ priority: 0, type: "URL_DECODE" }];
  return { byteMatchStatement: { fieldToMatch: { uriPath: {} }, positionalConstraint, searchString, textTransformations } };
}

function limited(name: string, priority: number, limit: number, statements: readonly Statement[]): Rule[] {
  const [first, second, ...others] = statements;
  if (first === undefined) {
    return [];
  }
  return [rateRule(name, priority, limit, second === undefined ? first : { orStatement: { statements: [first, second, ...others] } })];
}

function rateRule(name: string, priority: number, limit: number, scopeDownStatement: Statement | undefined): Rule {
  const of = scopeDownStatement === undefined ? {} : { scopeDownStatement };
  return {
    name,
    priority,
    statement: { rateBasedStatement: { aggregateKeyType: "IP", evaluationWindowSec: WINDOW_S, limit, ...of } },
    action: {
      block: { customResponse: { responseCode: 429, customResponseBodyKey: REFUSAL, responseHeaders: [{ name: "retry-after", value: String(WINDOW_S) }] } },
    },
    visibilityConfig: visible(name),
  };
}

/** A metric, and no samples of requests: their headers have tokens and cookies. */
export function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}
