/** The stacks of a stage as CloudFormation has them now. */
import { DescribeStacksCommand, GetTemplateCommand, type CloudFormationClient, type Stack } from "@aws-sdk/client-cloudformation";
import { Problem } from "../problem.js";
import { asked } from "./aws.js";

/** A stack by name, if there is one. */
export async function findStack(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    return (await client.send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0];
  } catch (error) {
    // CloudFormation has no error of its own for a stack that is not there.
    if (error instanceof Error && error.name === "ValidationError" && error.message.includes("does not exist")) {
      return undefined;
    }
    return asked(Promise.reject(error));
  }
}

/** A deployed template. */
export async function templateOf(client: CloudFormationClient, name: string): Promise<unknown> {
  const { TemplateBody: body } = await asked(client.send(new GetTemplateCommand({ StackName: name, TemplateStage: "Original" })));
  try {
    return JSON.parse(body ?? "");
  } catch {
    throw new Problem(`The deployed template of ${name} is no JSON: it was not deployed from here.`);
  }
}

/** @throws Problem when a stack cannot be changed as it stands. */
export function checkState(name: string, { StackStatus, StackStatusReason: reason }: Stack): void {
  const status: string = StackStatus ?? "";
  if (status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS") {
    throw new Problem(`${name} is being changed at this moment (${status}): wait until that has ended.`);
  }
  if (status === "UPDATE_ROLLBACK_FAILED") {
    throw new Problem(
      `${name} could not return to its last state (${reason ?? "no reason given"}). Remove the cause, then:\n` +
        `  aws cloudformation continue-update-rollback --stack-name ${name}`,
    );
  }
}
