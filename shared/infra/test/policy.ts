/**
 * What a policy allows, as IAM decides it.
 *
 * It understands the few forms that the policies here have, and throws on every other: a form that was
 * passed over could allow what the tests do not see.
 */

/** What IAM is asked: may this be done? */
export interface Request {
  /** `dynamodb:GetItem`. */
  readonly action: string;
  /** An ARN, or `*` for what concerns no resource. */
  readonly resource: string;
  /** The values of `dynamodb:LeadingKeys`; none when the request names no partition key. */
  readonly leadingKeys: readonly string[];
  /** The value of `ses:FromAddress`; none where nothing is sent. */
  readonly fromAddress?: string;
  /** The tags of the resource; none where it has none. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Statement {
  readonly actions: readonly string[];
  /** Patterns of ARNs. */
  readonly resources: readonly string[];
  /** Patterns of partition keys; any, when there are none. */
  readonly leadingKeys: readonly string[] | undefined;
  /** Whether a request must name a partition key. */
  readonly needsKeys?: boolean;
  /** Addresses that mail may come from; any, when there are none. */
  readonly fromAddresses?: readonly string[] | undefined;
  /** Tags that the resource must have; any, when there are none. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** The conditions that there are: each has its operator, and one key; or the tags of the resource. */
const KEYS = { operator: "ForAllValues:StringLike", key: "dynamodb:LeadingKeys" };
const PRESENT = { operator: "Null", key: "dynamodb:LeadingKeys" };
const SENDER = { operator: "StringEquals", key: "ses:FromAddress" };
const TAG = "aws:ResourceTag/";
const TAGS = ["onefold:service", "onefold:stage"];

/** Reads a policy document, in which all references are written out. @throws Error on what is not understood */
export function parsePolicy(document: unknown): Statement[] {
  const { Version: version, Statement: statements } = members(document, ["Version", "Statement"]);
  if (version !== "2012-10-17") {
    throw new Error(`version ${JSON.stringify(version)} of policies is not understood`);
  }
  if (!Array.isArray(statements)) {
    throw new Error("`Statement` is no list");
  }
  return statements.map(parseStatement);
}

function parseStatement(value: unknown): Statement {
  const statement = members(value, ["Effect", "Action", "Resource", "Condition"]);
  if (statement["Effect"] !== "Allow") {
    throw new Error(`the effect ${JSON.stringify(statement["Effect"])} is not understood`);
  }
  const actions = texts(statement["Action"]);
  const strange = actions.find((action) => !/^[a-z-]+:[A-Za-z]+$/.test(action));
  if (strange !== undefined) {
    throw new Error(`${strange} is not one action`);
  }
  const resources = texts(statement["Resource"]);
  const variable = resources.find((resource) => resource.includes("${"));
  if (variable !== undefined) {
    throw new Error(`${variable} is not written out`);
  }
  const condition = members(statement["Condition"] ?? {}, [KEYS.operator, PRESENT.operator, SENDER.operator]);
  const tags = parseTags(condition);
  return {
    actions,
    resources,
    leadingKeys: parseCondition(condition, KEYS),
    needsKeys: parsePresence(condition),
    fromAddresses: tags === undefined ? parseCondition(condition, SENDER) : undefined,
    ...(tags === undefined ? {} : { tags }),
  };
}

/** `Null` with "false" wants the key to be there. */
function parsePresence({ [PRESENT.operator]: condition }: Readonly<Record<string, unknown>>): boolean {
  const value = condition === undefined ? undefined : members(condition, [PRESENT.key])[PRESENT.key];
  if (condition !== undefined && value !== "false") {
    throw new Error(`${JSON.stringify(value)} for ${PRESENT.operator} is not understood`);
  }
  return condition !== undefined;
}

function parseTags({ [SENDER.operator]: condition }: Readonly<Record<string, unknown>>): Record<string, string> | undefined {
  if (condition === undefined || Object.keys(condition as object).includes(SENDER.key)) {
    return undefined;
  }
  if (Object.keys(condition as object).length === 0) {
    throw new Error("a condition without a key is not understood");
  }
  const found = members(condition, TAGS.map((tag) => `${TAG}${tag}`));
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => {
      if (typeof value !== "string" || value.includes("${")) {
        throw new Error(`${JSON.stringify(value)} is no text that is written out`);
      }
      return [key.slice(TAG.length), value];
    }),
  );
}

function parseCondition(condition: Readonly<Record<string, unknown>>, { operator, key }: typeof KEYS): readonly string[] | undefined {
  if (condition[operator] === undefined) {
    return undefined;
  }
  const values = texts(members(condition[operator], [key])[key]);
  const variable = values.find((value) => value.includes("${"));
  if (variable !== undefined) {
    throw new Error(`${variable} is not written out`);
  }
  return values;
}

/** Whether a statement allows a request. */
export function allows(statements: readonly Statement[], request: Request): boolean {
  return statements.some(
    ({ actions, resources, leadingKeys, needsKeys, fromAddresses, tags }) =>
      actions.includes(request.action) &&
      Object.entries(tags ?? {}).every(([tag, value]) => request.tags?.[tag] === value) &&
      resources.some((pattern) => isLike(request.resource, pattern)) &&
      // A request without the key does not pass a condition on it.
      (fromAddresses === undefined || (request.fromAddress !== undefined && fromAddresses.includes(request.fromAddress))) &&
      (needsKeys !== true || request.leadingKeys.length > 0) &&
      // `ForAllValues` holds for a request without values, too.
      (leadingKeys === undefined || request.leadingKeys.every((key) => leadingKeys.some((pattern) => isLike(key, pattern)))),
  );
}

/** `*` stands for any text, `?` for one character; case matters. */
function isLike(text: string, pattern: string): boolean {
  return expression(pattern).test(text);
}

const expressions = new Map<string, RegExp>();

function expression(pattern: string): RegExp {
  let found = expressions.get(pattern);
  if (found === undefined) {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
    found = new RegExp(`^${escaped}$`, "su");
    expressions.set(pattern, found);
  }
  return found;
}

/** The members of an object that may have these and no other. */
export function members(value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${JSON.stringify(value)} is no object`);
  }
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`${unknown.join(", ")}: not understood`);
  }
  return value as Record<string, unknown>;
}

/** One text or a list of at least one. */
function texts(value: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || !list.every((member) => typeof member === "string")) {
    throw new Error(`${JSON.stringify(value)} is neither a text nor a list of texts`);
  }
  return list as string[];
}
