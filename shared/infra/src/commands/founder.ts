/**
 * The first administrator of a stage: the person who registers with a token that one deployment prints.
 *
 * AWS has only its hash, in a secret for the functions that register people. The token works once for each table, so
 * the secret is deleted with the table.
 */
import { createHash, randomBytes } from "node:crypto";
import { CreateSecretCommand, DeleteSecretCommand } from "@aws-sdk/client-secrets-manager";
import { allSecrets, FOUNDER } from "../needs.js";
import { Problem } from "../problem.js";
import { asked, type Cloud } from "./aws.js";
import type { Project } from "./project.js";
import { versionsOf } from "./secrets.js";

/** The length of a token, in bytes: that of all tokens that are looked up by their hash. */
const TOKEN_BYTES = 32;

/** A new token, with its stored form. */
export interface Founder {
  readonly token: string;
  /** `{"hash": …}`: the SHA-256 of the token's bytes, as in `shared/runtime/src/opaque.rs`. */
  readonly secret: string;
}

export function makeFounder(bytes = randomBytes(TOKEN_BYTES)): Founder {
  return { token: bytes.toString("base64url"), secret: JSON.stringify({ hash: createHash("sha256").update(bytes).digest("base64url") }) };
}

/** Whether the stage's functions read the secret. */
export function hasFounder({ contract, stage }: Pick<Project, "contract" | "stage">): boolean {
  return allSecrets(contract, stage).includes(FOUNDER);
}

/**
 * Makes a token, if functions read the secret and it does not exist.
 *
 * @param isLogged whether the output goes to a log
 * @throws Problem when the token would be in a log
 */
export async function neededFounder({ secrets }: Pick<Cloud, "secrets">, project: Project, isLogged = process.env["CI"] !== undefined): Promise<Founder | undefined> {
  const id = project.names.secretNamed(FOUNDER);
  if (!hasFounder(project) || (await versionsOf(secrets, id)) !== undefined) {
    return undefined;
  }
  if (isLogged) {
    throw new Problem(
      `The secret ${id}, which says who may be the first administrator, is not there yet. It is made by the first deployment, which shows ` +
        `a token once, and a log is no place for that: run \`cargo run -- deploy --stage ${project.stage.name}\` on a machine of your own.`,
    );
  }
  return makeFounder();
}

/** Stores the hash, and prints the token at once: an interruption after that loses nothing. */
export async function keepFounder({ secrets }: Pick<Cloud, "secrets">, project: Project, founder: Founder): Promise<void> {
  const Name = project.names.secretNamed(FOUNDER);
  const Description = "The hash of the token with which the first administrator registers";
  await asked(secrets.send(new CreateSecretCommand({ Name, SecretString: founder.secret, Description })));
  tellFounder(project, founder);
}

/** Prints the token and how to use it. Whether an older stage already has administrators is not known here. */
export function tellFounder({ contract, stage }: Pick<Project, "contract" | "stage">, { token }: Founder): void {
  const readers = contract.procedures.filter(({ secrets }) => secrets.includes(FOUNDER)).map(({ name }) => name);
  const lines = [
    `Stage ${stage.name} has a token that names its first administrator. Who gives it to ${readers.join(" or ")} becomes administrator, whoever else is one by then:`,
    `  ${token}`,
    "It works once, also where registration is closed; only this deployment shows it, and nothing but its hash is kept. docs/deploying.md has the call, and what to do when it is lost.",
  ];
  console.log(`\n${lines.join("\n")}`);
}

/** Deletes the secret: the stage's next table gets another token, so that the old one cannot name its first administrator. */
export async function forgetFounder({ secrets }: Pick<Cloud, "secrets">, project: Project): Promise<void> {
  const id = project.names.secretNamed(FOUNDER);
  if (hasFounder(project) && (await versionsOf(secrets, id)) !== undefined) {
    await asked(secrets.send(new DeleteSecretCommand({ SecretId: id, ForceDeleteWithoutRecovery: true })));
  }
}
