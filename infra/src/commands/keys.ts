/** A stage's secret: the key that seals cursors, and the public keys of tokens. */
import { text } from "node:stream/consumers";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-secrets-manager";
import { Problem } from "../problem.js";
import { asked, type Cloud, explained, signIn } from "./aws.js";
import { projectAt } from "./project.js";

/** The variables in a secret, by the names under which `shared/runtime/src/environment.rs` reads them. */
export interface StageSecret {
  readonly ONEFOLD_CURSOR_KEY: string;
  readonly ONEFOLD_TOKENS: {
    readonly issuer: string;
    readonly audience: string;
    readonly keys: readonly { readonly kid: string; readonly x: string }[];
  };
}

export interface KeysOptions {
  readonly stage: string;
  /** A key of tokens that is not accepted any more. */
  readonly retire: string | undefined;
}

/** Reads what was made here from standard input, and puts into the secret what is new of it. @throws Problem */
export async function keys({ stage: name, retire }: KeysOptions): Promise<void> {
  const id = projectAt(name).names.secret;
  const made = JSON.parse(await text(process.stdin)) as StageSecret;
  const cloud = await signIn();
  const before = await read(cloud, id);
  const after = merge(before, made, retire);
  const SecretString = JSON.stringify(after);
  if (before === undefined) {
    await asked(cloud.secrets.send(new CreateSecretCommand({ Name: id, SecretString, Description: "Keys of the service's functions" })));
  } else if (SecretString !== JSON.stringify(before)) {
    await asked(cloud.secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString })));
  } else {
    console.log(`${id} has this key already.`);
    return;
  }
  console.log(`${id} accepts tokens signed with ${after.ONEFOLD_TOKENS.keys.map(({ kid }) => kid).join(", ")}.`);
  if (before !== undefined) {
    console.log(`Functions that run already learn it with the next \`cargo run -- deploy --stage ${name}\`.`);
  }
}

/**
 * What is there stays: a new cursor key would break the cursors that callers hold, and a removed public key
 * the tokens that they hold.
 *
 * @throws Problem when the last key would be retired.
 */
export function merge(before: StageSecret | undefined, made: StageSecret, retire: string | undefined): StageSecret {
  const old = before?.ONEFOLD_TOKENS.keys ?? [];
  // Who retires a key, perhaps somebody else's, does not become one who signs.
  const young = retire === undefined ? made.ONEFOLD_TOKENS.keys.filter(({ kid }) => !old.some((key) => key.kid === kid)) : [];
  const left = [...old, ...young].filter(({ kid }) => kid !== retire);
  if (retire !== undefined && !old.some(({ kid }) => kid === retire)) {
    throw new Problem(`There is no key ${retire}; there are: ${old.map(({ kid }) => kid).join(", ") || "none"}.`);
  }
  if (retire !== undefined && made.ONEFOLD_TOKENS.keys.some(({ kid }) => kid === retire)) {
    throw new Problem(`${retire} is the key that signs here: make another one first, with --rotate.`);
  }
  if (left.length === 0) {
    throw new Problem("No key would be left: make another one first, with --rotate.");
  }
  return { ...made, ...before, ONEFOLD_TOKENS: { ...made.ONEFOLD_TOKENS, ...before?.ONEFOLD_TOKENS, keys: left } };
}

async function read(cloud: Cloud, id: string): Promise<StageSecret | undefined> {
  let value: string | undefined;
  try {
    value = (await cloud.secrets.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    if (error instanceof InvalidRequestException) {
      throw new Problem(`The secret ${id} cannot be read (${error.message}). \`aws secretsmanager restore-secret --secret-id ${id}\` keeps one that is to be deleted.`);
    }
    throw explained(error);
  }
  // What is malformed is not shown: it may be the secret itself.
  try {
    const secret = JSON.parse(value ?? "") as StageSecret;
    if (Array.isArray(secret.ONEFOLD_TOKENS.keys)) {
      return secret;
    }
  } catch {
    // Said below.
  }
  throw new Problem(`The secret ${id} does not hold the keys of a service; nothing was changed.`);
}
