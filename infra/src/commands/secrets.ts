/** Secrets at AWS, by the labels of their versions. What is in them is not asked here. */
import {
  DescribeSecretCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { Problem } from "../problem.js";
import { asked, explained } from "./aws.js";

/** The label of the version that everybody reads. */
export const CURRENT = "AWSCURRENT";
/** The label of a version that waits for its turn. */
export const NEXT = "AWSPENDING";

/** The ids of a secret's versions. */
export interface Versions {
  readonly current: string | undefined;
  readonly next: string | undefined;
}

/** None when there is no such secret. @throws Problem when it is about to be deleted */
export async function versionsOf(client: SecretsManagerClient, id: string): Promise<Versions | undefined> {
  const found = await client.send(new DescribeSecretCommand({ SecretId: id })).catch((error: unknown) => {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    throw explained(error);
  });
  if (found?.DeletedDate !== undefined) {
    throw new Problem(`The secret ${id} is about to be deleted: \`aws secretsmanager restore-secret --secret-id ${id}\` keeps it.`);
  }
  const labelled = (label: string): string | undefined =>
    Object.entries(found?.VersionIdsToStages ?? {}).find(([, labels]) => labels.includes(label))?.[0];
  const [current, next] = [labelled(CURRENT), labelled(NEXT)];
  // One whose turn has come may have kept its label, if somebody was interrupted.
  return found === undefined ? undefined : { current, next: next === current ? undefined : next };
}

/** The version that waited is the one that is read from now on; the one before stays, as AWS's `AWSPREVIOUS`. */
export async function moveOn(client: SecretsManagerClient, id: string, { current, next }: Versions): Promise<void> {
  const move = { SecretId: id, VersionStage: CURRENT, MoveToVersionId: next, RemoveFromVersionId: current };
  await asked(client.send(new UpdateSecretVersionStageCommand(move)));
  await asked(client.send(new UpdateSecretVersionStageCommand({ SecretId: id, VersionStage: NEXT, RemoveFromVersionId: next })));
}
