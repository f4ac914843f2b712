/**
 * The request limits of one address, as rules of a web ACL. The contract says which paths are for signing in: public
 * procedures that take a password or send mail. Programs, and often all of an office, call other public procedures,
 * such as to refresh a token: these count among all requests.
 */
import type { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import type { Contract, Procedure } from "./contract.js";
import { isEverywhere } from "./layout.js";
import { Problem } from "./problem.js";
import { pathOf } from "./routes.js";

/** The most requests of one address in five minutes. */
export interface RateLimits {
  /** Requests of all kinds, files of the frontend as well. */
  readonly requests: number;
  /** Requests to gateways, each of which may carry many calls. */
  readonly gateways: number;
  /** Requests to public procedures that take a password or send mail. */
  readonly signIns: number;
}

/** Limits for an office behind one address. The procedures themselves count guesses by account and address. */
export const RATE_LIMITS: RateLimits = { requests: 6000, gateways: 3000, signIns: 300 };
/** What AWS WAF takes for a limit (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html). */
export const LEAST_LIMIT = 10;
export const MOST_LIMIT = 2_000_000_000;
const WINDOW_S = 300;
/** The key of the refusal's body. It is the body of the HTTP API's own throttling, which clients can read. */
const REFUSAL = "too-many";
export const REFUSALS: Record<string, CfnWebACL.CustomResponseBodyProperty> = {
  [REFUSAL]: { contentType: "APPLICATION_JSON", content: JSON.stringify({ message: "Too Many Requests" }) },
};

/**
 * The capacity of a web ACL without a surcharge, in WAF's own units, and the units of its parts
 * (https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html): a rate rule, a comparison by its
 * kind, and a text transformation
 * (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-string-match.html). Joined statements
 * cost the sum of their parts.
 */
const MAX_UNITS = 1500;
const RULE_UNITS = 2;
const COMPARISON_UNITS = { EXACTLY: 2, STARTS_WITH: 2, CONTAINS: 10 };
const DECODING_UNITS = 10;

type Rule = CfnWebACL.RuleProperty;

/** A condition of a rule, and its cost in units. */
interface Condition {
  readonly statement: CfnWebACL.StatementProperty;
  readonly units: number;
}

/** The rules, the strictest first. @throws Problem when there are more paths than a web ACL takes */
export function rateRules({ procedures, gateways }: Contract, limits: RateLimits): Rule[] {
  const open = procedures.filter(({ isPublic, takesPassword, sendsMail }) => isPublic && (takesPassword || sendsMail));
  const names = open.map(({ name }) => name);
  const spanning = gateways.filter(({ invokes }) => invokes.some((name) => names.includes(name))).flatMap(({ paths }) => paths);
  const signIns = open.flatMap(pathsOf).sort();
  const rules: [name: string, limit: number, condition: Condition | undefined][] = [
    ...limited("sign-in", limits.signIns, signIns.map(path)),
    ...limited("gateways", limits.gateways, spanning.sort().map(gatewayPath)),
    ["requests", limits.requests, undefined],
  ];
  const units = sumOf(rules.map(([, , condition]) => RULE_UNITS + (condition?.units ?? 0)));
  if (units > MAX_UNITS) {
    throw new Problem(
      `${units} units of a web ACL are needed, and AWS WAF takes ${MAX_UNITS}: at ${signIns.length} paths anybody may give a password or have ` +
        "a mail sent. State `edge.rateLimits: false` and make a web ACL of your own.",
    );
  }
  return rules.map(([name, limit, condition], priority) => rateRule(name, priority, limit, condition?.statement));
}

/** The paths at which one procedure is called. */
function pathsOf({ name, http, rest }: Procedure): string[] {
  return [pathOf({ name, http }), ...(rest === undefined ? [] : [rest.path])];
}

/** The condition of a gateway's path: below `/trpc/`, a batch names several procedures with commas. */
function gatewayPath(of: string): Condition {
  return isEverywhere(of) ? all(path(of), pathThat("CONTAINS", ",")) : path(of);
}

/** The condition of a path; a path with a parameter is matched by its beginning. */
function path(of: string): Condition {
  const end = of.indexOf("{");
  return end === -1 ? pathThat("EXACTLY", of) : pathThat("STARTS_WITH", of.slice(0, end));
}

/** An HTTP API decodes a path before it looks for the route. */
function pathThat(positionalConstraint: keyof typeof COMPARISON_UNITS, searchString: string): Condition {
  const textTransformations = [{ priority: 0, type: "URL_DECODE" }];
  return {
    statement: { byteMatchStatement: { fieldToMatch: { uriPath: {} }, positionalConstraint, searchString, textTransformations } },
    units: COMPARISON_UNITS[positionalConstraint] + DECODING_UNITS,
  };
}

/** A browser's preflight calls no procedure. */
const PREFLIGHT: CfnWebACL.StatementProperty = {
  byteMatchStatement: {
    fieldToMatch: { method: {} },
    positionalConstraint: "EXACTLY",
    searchString: "OPTIONS",
    textTransformations: [{ priority: 0, type: "NONE" }],
  },
};
const CALL: Condition = { statement: { notStatement: { statement: PREFLIGHT } }, units: COMPARISON_UNITS.EXACTLY };

function all(...conditions: readonly Condition[]): Condition {
  return { statement: { andStatement: { statements: conditions.map(({ statement }) => statement) } }, units: sumOf(conditions.map(({ units }) => units)) };
}

/** Joins conditions with OR; AWS WAF takes no list of one. */
function any([first, ...others]: readonly [Condition, ...Condition[]]): Condition {
  const statements = [first, ...others].map(({ statement }) => statement);
  return others.length === 0 ? first : { statement: { orStatement: { statements } }, units: sumOf([first, ...others].map(({ units }) => units)) };
}

function sumOf(units: readonly number[]): number {
  return units.reduce((sum, one) => sum + one, 0);
}

/** A rule for some paths, if there are any. */
function limited(name: string, limit: number, [first, ...others]: readonly Condition[]): [name: string, limit: number, condition: Condition][] {
  return first === undefined ? [] : [[name, limit, all(CALL, any([first, ...others]))]];
}

function rateRule(name: string, priority: number, limit: number, scopeDownStatement: CfnWebACL.StatementProperty | undefined): Rule {
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

/** Metrics without samples of requests, whose headers have tokens and cookies. */
export function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}
