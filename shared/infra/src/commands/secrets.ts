/** The versions of secrets at AWS, by their labels. This module reads no secret. */
import {
  DescribeSecretCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { Problem } from "../problem.js";
import { asked, explained } from "./aws.js";

/** The label of the current version. */
export const CURRENT = "AWSCURRENT";
/** The label of the version that comes next. */
export const NEXT = "AWSPENDING";

/** The ids of a secret's versions. */
export interface Versions {
  readonly current: string | undefined;
  readonly next: string | undefined;
}

/** Returns none when there is no such secret. @throws Problem when it is about to be deleted */
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
  // After an interruption, the current version may still have the label of the next one.
  return found === undefined ? undefined : { current, next: next === current ? undefined : next };
}

/** Makes the next version the current one; the previous one stays, as AWS's `AWSPREVIOUS`. */
export async function moveOn(client: SecretsManagerClient, id: string, { current, next }: Versions): Promise<void> {
  const move = { SecretId: id, VersionStage: CURRENT, MoveToVersionId: next, RemoveFromVersionId: current };
  await asked(client.send(new UpdateSecretVersionStageCommand(move)));
  await asked(client.send(new UpdateSecretVersionStageCommand({ SecretId: id, VersionStage: NEXT, RemoveFromVersionId: next })));
}
