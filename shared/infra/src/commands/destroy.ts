/** Removes a stage, if it may be removed. */
import { type CloudFormationClient, DeleteStackCommand, waitUntilStackDeleteComplete } from "@aws-sdk/client-cloudformation";
import { DeleteObjectsCommand, ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Service } from "../app.js";
import { Problem } from "../problem.js";
import { isPreview, rateLimitsOf } from "../stage.js";
import { asked, type Cloud, signIn } from "./aws.js";
import { forgetFounder } from "./founder.js";
import { type Project, projectAt } from "./project.js";
import { checkIdle, findStack, findStacks, formationOf, resourcesOf } from "./stacks.js";
import { ask } from "./terminal.js";

export interface DestroyOptions {
  readonly stage: string;
  /** Remove without asking. */
  readonly yes: boolean;
}

/** The longest wait, in seconds. CloudFront takes longest, about a quarter of an hour. */
const MAX_WAIT_S = 3600;

/** Needs no build: it removes the stacks by name, in the reverse order of their creation. @throws Problem */
export async function destroy(service: Service, { stage: name, yes }: DestroyOptions): Promise<void> {
  const project = projectAt(service, name);
  const { stage, names } = project;
  if (stage.config.protectData) {
    throw new Problem(
      `Stage ${name} protects its data and is not removed by a command. docs/operations.md says how to remove it by hand, and how to ` +
        "keep a copy first.",
    );
  }
  const cloud = await signIn();
  const there = await removable(cloud, project);
  if (there.length === 0) {
    console.log(`Stage ${name} is not in account ${cloud.account}, region ${cloud.region}.`);
    return;
  }
  await confirm(name, there, yes);
  for (const stack of there) {
    console.log(`removing ${stack}`);
    const client = formationOf(cloud, names, stack);
    await emptyBuckets(client, cloud.s3, stack);
    await remove(client, stack);
  }
  await forgetFounder(cloud, project);
  console.log(`Stage ${name} is gone; its keys in the secret ${names.secret} are kept.`);
}

/**
 * The stacks to remove, in order. A stage that gave up its web ACL may still have its stack, so the firewall's is
 * looked for in any case; except for previews, whose role in continuous integration has no rights in that region.
 *
 * @throws Problem when one of them must stay
 */
export async function removable(
  cloud: Pick<Cloud, "cloudFormation" | "firewallFormation">,
  { stage: { name, config }, names }: Pick<Project, "stage" | "names">,
): Promise<string[]> {
  const there = await findStacks(cloud, names, !isPreview(name) || rateLimitsOf(config) !== undefined);
  for (const [stack, found] of there) {
    checkIdle(stack, found);
    if (found.EnableTerminationProtection === true) {
      throw new Problem(`${stack} was deployed with protection, whatever stages.ts says here: nothing was removed. docs/operations.md says how to remove it by hand.`);
    }
  }
  return [...there.keys()].reverse();
}

async function confirm(name: string, there: readonly string[], yes: boolean): Promise<void> {
  if (yes) {
    return;
  }
  const question = `This removes ${there.join(", ")} with all that is stored. Type ${name} to go on: `;
  if ((await ask(question, "Nothing was removed: confirm by hand, or with --yes.")) !== name) {
    throw new Problem("Nothing was removed.");
  }
}

async function remove(cloudFormation: CloudFormationClient, stack: string): Promise<void> {
  await asked(cloudFormation.send(new DeleteStackCommand({ StackName: stack })));
  try {
    await waitUntilStackDeleteComplete({ client: cloudFormation, maxWaitTime: MAX_WAIT_S, minDelay: 2, maxDelay: 15 }, { StackName: stack });
  } catch {
    const left = await findStack(cloudFormation, stack);
    if (left === undefined) {
      return;
    }
    if (left.StackStatus === "DELETE_IN_PROGRESS") {
      throw new Problem(`${stack} is still being removed: try again when that has ended.`);
    }
    throw new Problem(`${stack} could not be removed (${left.StackStatusReason ?? left.StackStatus ?? "no reason given"}). Remove the cause and try again.`);
  }
}

/** Empties the buckets of a stack: only an empty bucket can be deleted. */
async function emptyBuckets(cloudFormation: CloudFormationClient, s3: S3Client, stack: string): Promise<void> {
  for (const { ResourceType: type, PhysicalResourceId: bucket } of await resourcesOf(cloudFormation, stack)) {
    if (type === "AWS::S3::Bucket" && bucket !== undefined) {
      await emptyBucket(s3, bucket);
    }
  }
}

async function emptyBucket(s3: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const page = await asked(s3.send(new ListObjectVersionsCommand({ Bucket: bucket })));
    const versions = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    if (versions.length === 0) {
      return;
    }
    const objects = versions.map(({ Key, VersionId }) => ({ Key, VersionId }));
    const { Errors: errors = [] } = await asked(s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } })));
    if (errors.length > 0) {
      throw new Problem(`s3://${bucket}/${errors[0]?.Key ?? ""} could not be removed: ${errors[0]?.Message ?? "no reason given"}`);
    }
  }
}
