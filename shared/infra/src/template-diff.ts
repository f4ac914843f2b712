/**
 * The differences between two synthesized assemblies, as Markdown for a reviewer. It compares two assemblies without
 * asking an account, and not with what is deployed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Difference,
  fullDiff,
  type PropertyDifference,
  type ResourceDifference,
  ResourceImpact,
  type TemplateDiff,
} from "@aws-cdk/cloudformation-diff";
import { Problem } from "./problem.js";
import { refusals } from "./safe-change.js";

/** A JSON value. */
type Json = any;
/** The templates, by file name without the extension. */
export type Templates = ReadonlyMap<string, Json>;

const ENDING = ".template.json";
const NESTED = ".nested";
/** The types of resources that hold data which a deployment cannot restore. */
const DATA = ["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket"];
/** The most entries of a list; a longer one is cut, with a note. */
const MAX_LISTED = 50;
const MAX_PATHS = 8;
/** The longest value that is shown beside its path, in characters. */
const MAX_QUOTED = 80;
const MAX_CODE = 1500;

/** @throws Problem when there is no assembly. */
export function readAssembly(folder: string): Templates {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(ENDING)).sort() : [];
  if (files.length === 0) {
    throw new Problem(`${folder} holds no synthesized templates.`);
  }
  return new Map(files.map((file) => [file.slice(0, -ENDING.length), JSON.parse(readFileSync(join(folder, file), "utf8"))]));
}

/** The report, which begins with a heading. */
export function templateReport(old: Templates, next: Templates): string {
  const names = [...new Set([...old.keys(), ...next.keys()])].sort();
  const dangers: string[] = [];
  const sections = names.flatMap((name) => {
    const before = old.get(name);
    const after = next.get(name);
    const difference = fullDiff(before ?? {}, after ?? {});
    dangers.push(...dangersOf(before ?? {}, after ?? {}, difference).map((danger) => `${code(title(name))}: ${danger}`));
    const lines = [...cameOrWent(name, before, after), ...describe(difference)];
    return lines.length === 0 ? [] : [`### ${code(title(name))}\n\n${lines.join("\n")}`];
  });
  const warning = dangers.length === 0 ? [] : [`> [!CAUTION]\n> **Stored data is in danger.**\n${dangers.map((danger) => `> - ${danger}`).join("\n")}`];
  const said = sections.length === 0 ? ["The templates are unchanged."] : sections;
  return `${["## Templates", ...warning, ...said].join("\n\n")}\n`;
}

function title(name: string): string {
  return name.endsWith(NESTED) ? `${name.slice(0, -NESTED.length)} (nested)` : name;
}

function cameOrWent(name: string, before: Json, after: Json): string[] {
  if (before === undefined) {
    return ["- The stack is new."];
  }
  if (after !== undefined) {
    return [];
  }
  const left = name.endsWith(NESTED) ? "" : " What was deployed of it stays until you delete it.";
  return [`- **The stack is gone.**${left}`];
}

/** What would be lost, one sentence each: by the project's own rules for tables, and for all other data that is deleted or replaced. */
export function lossesOf(old: Templates, next: Templates): string[] {
  // A stack that is no longer synthesized stays as it is.
  return [...old].flatMap(([name, before]) => {
    const after = next.get(name);
    return after === undefined && !name.endsWith(NESTED) ? [] : lossesIn(before, after ?? {}, fullDiff(before, after ?? {}));
  });
}

function lossesIn(before: Json, after: Json, difference: TemplateDiff): string[] {
  const found = refusals(before, after).map((refusal) => refusal.replaceAll("`", "'"));
  difference.resources.forEachDifference((id, resource) => {
    const type = resource.oldResourceType;
    const verb = LOSSES[resource.changeImpact];
    if (type !== undefined && DATA.includes(type) && verb !== undefined && !found.some((loss) => loss.startsWith(`Table ${id} `))) {
      found.push(`${code(type)} ${code(id)} ${verb}.`);
    }
  });
  return found;
}

/** Losses, and removed protections. */
function dangersOf(before: Json, after: Json, difference: TemplateDiff): string[] {
  const found = lossesIn(before, after, difference);
  difference.resources.forEachDifference((id, resource) => {
    const type = resource.oldResourceType;
    if (type !== undefined && DATA.includes(type) && !resource.isRemoval) {
      found.push(...protections(resource.oldValue, resource.newValue).map((lost) => `${code(type)} ${code(id)} would not have ${lost} any more.`));
    }
  });
  return found;
}

/** The protections from deletion that a resource loses. */
function protections(before: Json, after: Json): string[] {
  const kept = (resource: Json, policy: string): boolean => ["Retain", "RetainExceptOnCreate", "Snapshot"].includes(resource?.[policy]);
  const had = (holds: (resource: Json) => boolean): boolean => holds(before) && !holds(after);
  return [
    ...["DeletionPolicy", "UpdateReplacePolicy"].filter((policy) => had((resource) => kept(resource, policy))).map(code),
    ...(had((resource) => resource?.Properties?.DeletionProtectionEnabled === true) ? ["deletion protection"] : []),
    ...(had((resource) => resource?.Properties?.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true)
      ? ["point-in-time recovery"]
      : []),
  ];
}

const LOSSES: Partial<Record<ResourceImpact, string>> = {
  [ResourceImpact.WILL_DESTROY]: "would be deleted, with all that is stored",
  [ResourceImpact.WILL_ORPHAN]: "would leave the stack and be kept, without anything that uses it",
  [ResourceImpact.WILL_REPLACE]: "would be replaced by an empty one",
  [ResourceImpact.MAY_REPLACE]: "may be replaced by an empty one",
};

function describe(difference: TemplateDiff): string[] {
  const added: string[] = [];
  const removed: string[] = [];
  const changed: string[] = [];
  const recoded: string[] = [];
  difference.resources.forEachDifference((id, resource) => {
    if (resource.isAddition) {
      added.push(`${code(resource.newResourceType ?? "?")} ${code(id)}`);
    } else if (resource.isRemoval) {
      removed.push(`${code(resource.oldResourceType ?? "?")} ${code(id)}`);
    } else {
      const { paths, hasNewCode } = changesOf(resource);
      if (hasNewCode) {
        recoded.push(code(id));
      }
      if (paths.length > 0) {
        changed.push(`${replacement(resource)}${code(resource.oldResourceType ?? "?")} ${code(id)}: ${paths.join("; ")}`);
      }
    }
  });
  return [
    ...group("Removed", removed),
    ...group("Changed", changed),
    ...group("Added", added),
    ...(recoded.length === 0 ? [] : [`- Code changed: ${cut(recoded).join(", ")}`]),
    ...rights(difference),
    ...elsewhere(difference),
  ];
}

function replacement(resource: ResourceDifference): string {
  switch (resource.changeImpact) {
    case ResourceImpact.WILL_REPLACE:
      return "**replaced:** ";
    case ResourceImpact.MAY_REPLACE:
      return "**perhaps replaced:** ";
    default:
      return "";
  }
}

/** The paths in a resource that differ. The location of its code is left out. */
function changesOf(resource: ResourceDifference): { paths: string[]; hasNewCode: boolean } {
  let hasNewCode = false;
  const paths: string[] = [];
  if (resource.resourceTypeChanged) {
    paths.push(`the type is ${code(resource.newResourceType ?? "?")}`);
  }
  resource.forEachDifference((kind, name, change: Difference<Json> | PropertyDifference<Json>) => {
    if (kind === "Property" && name === "Code") {
      hasNewCode = true;
    } else if (kind === "Property" && name === "TemplateURL") {
      // The nested template is compared itself.
    } else {
      const found = differing(change.oldValue, change.newValue, name);
      paths.push(...cut(found, MAX_PATHS));
    }
  });
  return { paths, hasNewCode };
}

/** The innermost paths that differ, with short values. */
function differing(before: Json, after: Json, path: string): string[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => differing(before[name], after[name], `${path}.${name}`));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((member, at) => differing(member, after[at], `${path}[${at}]`));
  }
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
  if (was === is) {
    return [];
  }
  if (was === undefined) {
    return [`${code(path)} is new${short(is) ? `: ${code(is ?? "")}` : ""}`];
  }
  if (is === undefined) {
    return [`${code(path)} is gone`];
  }
  return [short(was) && short(is) ? `${code(path)} was ${code(was)} and is ${code(is)}` : code(path)];
}

function isObject(value: Json): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(text: string | undefined): boolean {
  return text !== undefined && text.length <= MAX_QUOTED;
}

/** The changed statements of roles, resource policies and invocation permissions, and managed policies. */
function rights({ iamChanges }: TemplateDiff): string[] {
  const statements = (all: typeof iamChanges.statements.additions): string[] =>
    all.map((statement) => {
      const { effect, action, resource, principal, condition } = statement.render();
      const when = condition === "" ? "" : `, when ${code(condition.replaceAll(/\s+/g, " "))}`;
      return `${code(flat(principal))}: ${effect} ${code(flat(action))} on ${code(flat(resource))}${when}`;
    });
  const policies = (all: typeof iamChanges.managedPolicies.additions): string[] =>
    all.map(({ identityArn, managedPolicyArn }) => `${code(identityArn)}: the policy ${code(managedPolicyArn)}`);
  return [
    ...group("Rights gained", [...statements(iamChanges.statements.additions), ...policies(iamChanges.managedPolicies.additions)]),
    ...group("Rights lost", [...statements(iamChanges.statements.removals), ...policies(iamChanges.managedPolicies.removals)]),
  ];
}

/** A value on one line; an import from another stack is named by that stack and its resource. */
function flat(text: string): string {
  return text
    .replaceAll("\n", ", ")
    .replaceAll(/\{"Fn::ImportValue":"([^":]+):ExportsOutput(?:FnGetAtt|Ref)(\w+?)(?:[0-9A-F]{8})?"\}/g, "${$1.$2}");
}

/** The changes outside of resources. */
function elsewhere(difference: TemplateDiff): string[] {
  const rooms = ["outputs", "parameters", "conditions", "mappings", "metadata", "unknown"] as const;
  const lines = rooms.flatMap((room) => {
    const changes: string[] = [];
    difference[room].forEachDifference((id: string, change: Difference<Json>) => {
      changes.push(`${code(id)} ${change.isAddition ? "is new" : change.isRemoval ? "is gone" : "changed"}`);
    });
    return changes.length === 0 ? [] : [`- In ${room}: ${cut(changes).join(", ")}`];
  });
  const texts = (["description", "transform", "awsTemplateFormatVersion"] as const).filter((text) => difference[text] !== undefined);
  return [...lines, ...texts.map((text) => `- The ${text} changed`)];
}

function group(heading: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [`- ${heading}:`, ...cut(entries).map((entry) => `  - ${entry}`)];
}

function cut(entries: readonly string[], most = MAX_LISTED): string[] {
  return entries.length <= most ? [...entries] : [...entries.slice(0, most), `and ${entries.length - most} more`];
}

/** Code in Markdown, on one line: its text comes from a branch that nobody has reviewed yet. */
function code(text: string): string {
  const clean = text.replaceAll(/[`\p{Cc}]/gu, "'");
  return `\`${clean.length > MAX_CODE ? `${clean.slice(0, MAX_CODE)}…` : clean}\``;
}
