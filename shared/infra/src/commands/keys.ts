/**
 * A stage's keys: the public keys that verify tokens, the functions' signing key, and the key that seals cursors.
 *
 * Each machine that signs tokens for operators has a key of its own, of which only the public half leaves it. The
 * functions' key is made here and stored nowhere else: its public half stands beside the others in the stage's secret,
 * the whole key in a secret that only signing functions read. A version of that secret has the key's id as its name, so
 * that nobody has to read a key to identify it.
 *
 * No function may sign with a key that others do not know yet. So a new key is stored as the next version, until a
 * deployment has given its public half to all functions; then `deploy` makes it the current one.
 */
import { text } from "node:stream/consumers";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-secrets-manager";
import type { Service } from "../app.js";
import { allSecrets, CURSORS, SIGNING } from "../needs.js";
import { Problem } from "../problem.js";
import { asked, type Cloud, explained, signIn } from "./aws.js";
import { type Project, projectAt } from "./project.js";
import { NEXT, type Versions, versionsOf } from "./secrets.js";

export interface PublicKey {
  readonly kid: string;
  readonly x: string;
}

/** The variables in the stage's secret, by their names in `shared/runtime/src/environment.rs`. */
export interface StageSecret {
  readonly ONEFOLD_TOKENS: { readonly issuer: string; readonly audience: string; readonly keys: readonly PublicKey[] };
}

/** The variable in the secret for those functions that take cursors. */
export interface CursorSecret {
  readonly ONEFOLD_CURSOR_KEY: string;
}

/** The keys that `cargo run -- keys` made, in case they are needed. */
export interface Made {
  /** Includes this machine's public key, if it has one. */
  readonly secret: StageSecret;
  readonly cursors: CursorSecret;
  readonly functions: {
    readonly public: PublicKey;
    /** `SignerSettings` of `shared/runtime/src/tokens.rs`. */
    readonly signer: { readonly kid: string; readonly pkcs8: string };
  };
}

/** The keys that exist at AWS. */
export interface There {
  readonly secret: StageSecret | undefined;
  /** The functions' keys; none if the secret does not exist; false if no function signs. */
  readonly signing: Versions | undefined | false;
}

export interface Wish {
  readonly rotate: boolean;
  /** The id of a token key to retire. */
  readonly retire: string | undefined;
}

export interface KeysOptions extends Wish {
  readonly stage: string;
}

/** The keys that AWS should have. */
export interface Plan {
  readonly secret: StageSecret;
  /** The functions' keys afterwards. */
  readonly signing: Versions;
  /** Whether the new key of the functions is used. */
  readonly isNew: boolean;
}

/** Checks that the stage exists before any key is made. @throws Problem */
export async function checkKeys(service: Service, stage: string): Promise<void> {
  projectAt(service, stage);
  await signIn();
}

/** Reads the new keys from standard input, and stores those that are needed in the secrets. @throws Problem */
export async function keys(service: Service, { stage: name, ...wish }: KeysOptions): Promise<void> {
  const project = projectAt(service, name);
  const { contract, names } = project;
  const made = JSON.parse(await text(process.stdin)) as Made;
  const cloud = await signIn();
  const signingId = names.secretNamed(SIGNING);
  const signs = contract.procedures.some(({ secrets }) => secrets.includes(SIGNING));
  const signing = signs && (await versionsOf(cloud.secrets, signingId));
  const there: There = { secret: await read(cloud, names.secret), signing };
  const planned = plan(there, made, wish);
  const isChanged = JSON.stringify(planned.secret) !== JSON.stringify(there.secret);
  // This comes first: the stage's secret may hold the cursor key of an older version.
  await keepCursors(cloud, project, made.cursors);
  // The public half comes first: a signature that nobody can verify would be refused.
  if (isChanged) {
    await publish(cloud, names.secret, there.secret === undefined, planned.secret);
  }
  if (planned.isNew) {
    await keep(cloud, signingId, there.signing === undefined, made);
  }
  console.log([`${names.secret} ${isChanged ? "accepts" : "has nothing new and accepts"} tokens signed with:`, ...inWords(planned, made)].join("\n"));
  if (there.secret !== undefined && isChanged) {
    console.log(`Functions that run already learn it with the next \`cargo run -- deploy --stage ${name}\`.`);
  }
}

/**
 * Existing keys stay: without its public key, a caller's token would be refused. An exception is a cursor key in the
 * stage's secret, from before it had a secret of its own: all functions read that secret, and prefer its key.
 *
 * @throws Problem when a key would be retired that signs, or the last one.
 */
export function plan(there: There, made: Made, { rotate, retire }: Wish): Plan {
  const old = there.secret?.ONEFOLD_TOKENS.keys ?? [];
  const before = there.signing === false ? undefined : there.signing;
  if (retire !== undefined) {
    checkRetired(retire, old, made, before);
  }
  // Retiring a key, perhaps another machine's, does not make this machine a signer.
  const isNew = retire === undefined && there.signing !== false && (before === undefined || rotate);
  const candidates = retire === undefined ? [...made.secret.ONEFOLD_TOKENS.keys, ...(isNew ? [made.functions.public] : [])] : [];
  const young = candidates.filter(({ kid }) => !old.some((key) => key.kid === kid));
  const left = [...old, ...young].filter(({ kid }) => kid !== retire);
  if (left.length === 0) {
    throw new Problem("No key would be left: make another one first, with --rotate.");
  }
  const { kid } = made.functions.public;
  const turn = before === undefined ? { current: kid, next: undefined } : { current: before.current, next: kid };
  return {
    secret: {
      ...made.secret,
      ...withoutCursors(there.secret),
      ONEFOLD_TOKENS: { ...made.secret.ONEFOLD_TOKENS, ...there.secret?.ONEFOLD_TOKENS, keys: left },
    },
    signing: isNew ? turn : { current: before?.current, next: before?.next },
    isNew,
  };
}

function withoutCursors(secret: Partial<StageSecret & CursorSecret> = {}): Partial<StageSecret> {
  const { ONEFOLD_CURSOR_KEY, ...others } = secret;
  return others;
}

function checkRetired(retire: string, old: readonly PublicKey[], made: Made, signing: Versions | undefined): void {
  if (!old.some(({ kid }) => kid === retire)) {
    throw new Problem(`There is no key ${retire}; there are: ${old.map(({ kid }) => kid).join(", ") || "none"}.`);
  }
  if (made.secret.ONEFOLD_TOKENS.keys.some(({ kid }) => kid === retire)) {
    throw new Problem(`${retire} is the key that signs here: make another one first, with --rotate.`);
  }
  if (retire === signing?.current || retire === signing?.next) {
    throw new Problem(`${retire} is a key that functions sign with: make another one first, with --rotate, and deploy.`);
  }
}

/** The accepted keys, one a line, with their use. */
export function inWords({ secret, signing }: Plan, made: Made): string[] {
  const own = made.secret.ONEFOLD_TOKENS.keys.map(({ kid }) => kid);
  const accepted = secret.ONEFOLD_TOKENS.keys.map(({ kid }) => kid);
  const about = (kid: string): string => {
    const words = [
      ...(own.includes(kid) ? ["this machine signs with it"] : []),
      ...(kid === signing.current ? ["the functions sign with it"] : []),
      ...(kid === signing.next ? ["the functions sign with it after the next deployment"] : []),
    ];
    return words.length === 0 ? "" : `  ${words.join("; ")}`;
  };
  const unknown = [signing.current, signing.next].filter((kid) => kid !== undefined && !accepted.includes(kid));
  return [
    ...accepted.map((kid) => `  ${kid}${about(kid)}`),
    ...unknown.map((kid) => `and not with ${kid}, which the functions sign with: make another one, with --rotate, and deploy.`),
  ];
}

/** Keeps an existing cursor key: a new one would break the cursors that callers hold. */
async function keepCursors(cloud: Cloud, { contract, stage, names }: Project, cursors: CursorSecret): Promise<void> {
  const id = names.secretNamed(CURSORS);
  if (allSecrets(contract, stage).includes(CURSORS) && (await versionsOf(cloud.secrets, id)) === undefined) {
    const Description = "The key that seals cursors";
    await asked(cloud.secrets.send(new CreateSecretCommand({ Name: id, SecretString: JSON.stringify(cursors), Description })));
  }
}

async function publish(cloud: Cloud, id: string, isFirst: boolean, secret: StageSecret): Promise<void> {
  const SecretString = JSON.stringify(secret);
  await asked<unknown>(
    isFirst
      ? cloud.secrets.send(new CreateSecretCommand({ Name: id, SecretString, Description: "Keys of the service's functions" }))
      : cloud.secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString })),
  );
}

/** The first key can sign at once: no function signs yet. */
async function keep(cloud: Cloud, id: string, isFirst: boolean, { functions: { signer } }: Made): Promise<void> {
  const version = { SecretString: JSON.stringify(signer), ClientRequestToken: signer.kid };
  await asked<unknown>(
    isFirst
      ? cloud.secrets.send(new CreateSecretCommand({ Name: id, ...version, Description: "The key that functions sign tokens with" }))
      : cloud.secrets.send(new PutSecretValueCommand({ SecretId: id, ...version, VersionStages: [NEXT] })),
  );
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
  // A malformed value is not shown: it may be the secret itself.
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
