/** The current stacks of a stage at CloudFormation. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListStackResources,
  type CloudFormationClient,
  type Stack,
  type StackResourceSummary,
} from "@aws-sdk/client-cloudformation";
import type { Names } from "../names.js";
import { Problem } from "../problem.js";
import type { Templates } from "../template-diff.js";
import { asked, type Cloud } from "./aws.js";

/** The client for a stack: its region is the stage's, except for the firewall's. */
export function formationOf(cloud: Pick<Cloud, "cloudFormation" | "firewallFormation">, names: Names, stack: string): CloudFormationClient {
  return stack === names.stack("firewall") ? cloud.firewallFormation : cloud.cloudFormation;
}

/** A stack by name, if there is one. */
export async function findStack(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    return (await client.send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0];
  } catch (error) {
    // CloudFormation has no error of its own for a missing stack.
    if (error instanceof Error && error.name === "ValidationError" && error.message.includes("does not exist")) {
      return undefined;
    }
    return asked(Promise.reject(error));
  }
}

/**
 * The existing stacks of a stage, in the order of their creation.
 *
 * @param withFirewall whether to look for the firewall's, in a region for which the caller may have no rights
 */
export async function findStacks(
  cloud: Pick<Cloud, "cloudFormation" | "firewallFormation">,
  names: Names,
  withFirewall: boolean,
): Promise<Map<string, Stack>> {
  const found = new Map<string, Stack>();
  for (const name of names.stacks().filter((name) => withFirewall || name !== names.stack("firewall"))) {
    const stack = await findStack(formationOf(cloud, names, name), name);
    if (stack !== undefined) {
      found.set(name, stack);
    }
  }
  return found;
}

/** The resources of a stack. */
export async function resourcesOf(client: CloudFormationClient, stack: string): Promise<StackResourceSummary[]> {
  const found: StackResourceSummary[] = [];
  const pages = paginateListStackResources({ client }, { StackName: stack })[Symbol.asyncIterator]();
  for (let page = await asked(pages.next()); page.done !== true; page = await asked(pages.next())) {
    found.push(...(page.value.StackResourceSummaries ?? []));
  }
  return found;
}

/**
 * The deployed templates of stacks and of those nested in them.
 *
 * @param clientOf the client for a stack
 * @param next the synthesized templates of the folder `assembly`: nested stacks get the same names as there, so that
 * the two can be compared
 */
export async function deployedTemplates(
  clientOf: (stack: string) => CloudFormationClient,
  stacks: Iterable<string>,
  next: Templates,
  assembly: string,
): Promise<Templates> {
  const found = new Map<string, unknown>();
  for (const stack of stacks) {
    const client = clientOf(stack);
    found.set(stack, await templateOf(client, stack));
    const names = nestedNames(next, assembly, stack);
    for (const { ResourceType: type, LogicalResourceId: id = "", PhysicalResourceId: nested } of await resourcesOf(client, stack)) {
      if (type === "AWS::CloudFormation::Stack" && nested !== undefined) {
        found.set(names.get(id) ?? `${id}.nested`, await templateOf(client, nested));
      }
    }
  }
  return found;
}

/** The names of a synthesized stack's nested templates, by their logical ids: a nested stack's address contains the digest of its template. */
function nestedNames(next: Templates, assembly: string, stack: string): Map<string, string> {
  const template = next.get(stack) as { Resources?: Record<string, { Type: string; Properties?: object }> } | undefined;
  if (template === undefined) {
    return new Map();
  }
  const { files } = JSON.parse(readFileSync(join(assembly, `${stack}.assets.json`), "utf8")) as {
    files: Record<string, { source: { path: string } }>;
  };
  const nested = Object.entries(template.Resources ?? {}).filter(([, { Type }]) => Type === "AWS::CloudFormation::Stack");
  const pairs = nested.flatMap(([id, { Properties }]) => {
    const address = JSON.stringify(Properties);
    const [, file] = Object.entries(files).find(([digest]) => address.includes(`/${digest}.json`)) ?? [];
    return file === undefined ? [] : [[id, file.source.path.replace(/\.template\.json$/, "")] as const];
  });
  return new Map(pairs);
}

async function templateOf(client: CloudFormationClient, name: string): Promise<unknown> {
  const { TemplateBody: body } = await asked(client.send(new GetTemplateCommand({ StackName: name, TemplateStage: "Original" })));
  try {
    return JSON.parse(body ?? "");
  } catch {
    throw new Problem(`The deployed template of ${name} is no JSON: it was not deployed from here.`);
  }
}

/** Whether a stack was never created: CDK deletes it and begins anew. */
export function isEmpty({ StackStatus: status }: Stack): boolean {
  return status === "REVIEW_IN_PROGRESS" || status === "ROLLBACK_COMPLETE";
}

/** @throws Problem when a stack is being changed. */
export function checkIdle(name: string, { StackStatus: status }: Stack): void {
  if (status?.endsWith("_IN_PROGRESS") === true && status !== "REVIEW_IN_PROGRESS") {
    throw new Problem(`${name} is being changed at this moment (${status}): wait until that has ended.`);
  }
}

/** @throws Problem when a stack cannot be deployed over as it stands. */
export function checkState(name: string, stack: Stack): void {
  checkIdle(name, stack);
  const { StackStatus: status, StackStatusReason: reason, EnableTerminationProtection: isProtected } = stack;
  if (status === "UPDATE_ROLLBACK_FAILED") {
    throw new Problem(
      `${name} could not return to its last state (${reason ?? "no reason given"}). Remove the cause, then:\n` +
        `  aws cloudformation continue-update-rollback --stack-name ${name}`,
    );
  }
  const isStuck = status === "ROLLBACK_FAILED" || status === "DELETE_FAILED" || (status === "ROLLBACK_COMPLETE" && isProtected === true);
  if (isStuck) {
    const unprotect = `  aws cloudformation update-termination-protection --stack-name ${name} --no-enable-termination-protection\n`;
    throw new Problem(
      `${name} is left over from what failed (${status}: ${reason ?? "no reason given"}). Look at what is in it, remove the cause, then:\n` +
        `${isProtected === true ? unprotect : ""}  aws cloudformation delete-stack --stack-name ${name}`,
    );
  }
}
