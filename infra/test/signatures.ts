/**
 * What the signatures of the procedures ask for, read from their Rust files, and what that means at
 * DynamoDB, written down here once more. Neither comes from the contract: a mistake on the way from a
 * signature to the contract is found by this.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { INFRA } from "./support.js";

const ROOT = join(INFRA, "..");
/** The procedures of the package that the service mounts for its `User`, which is `U` there. */
const MOUNTED = "shared/identity/src/procedures";

export interface Entity {
  readonly prefix: string;
  /** In how many of the table's indexes it stands: the first ones. */
  readonly indexes: number;
  /** Whether some of its values are unique: each is an item of its own. */
  readonly hasUnique: boolean;
  /** Whether groups of it are counted: each count is an item of its own. */
  readonly hasTallies: boolean;
}

/** A right to what is stored. */
export interface Capability {
  readonly kind: keyof typeof MEANING;
  readonly entity: Entity;
}

/** What a procedure may reach, as its file says. */
export interface Signature {
  readonly capabilities: readonly Capability[];
  /** Names of secrets. */
  readonly secrets: readonly string[];
  readonly sendsMail: boolean;
}

/** What a capability lets a procedure do: the actions on the table, and those on the entity's indexes. */
const MEANING = {
  // Fetch one, fetch many; list in the order of an index.
  Read: { table: ["dynamodb:GetItem", "dynamodb:BatchGetItem"], index: ["dynamodb:Query"] },
  // All of these: fetch and list, create and replace, delete.
  Write: { table: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], index: ["dynamodb:Query"] },
  // Create, and neither look at it again nor change it.
  Create: { table: ["dynamodb:PutItem"], index: [] },
  // Fetch one, and replace it.
  Update: { table: ["dynamodb:GetItem", "dynamodb:PutItem"], index: [] },
  // Fetch one, and delete it.
  Delete: { table: ["dynamodb:GetItem", "dynamodb:DeleteItem"], index: [] },
  // Count up.
  RateLimits: { table: ["dynamodb:UpdateItem"], index: [] },
  // No parameter: what is read is counted for who calls.
  meter: { table: ["dynamodb:UpdateItem"], index: [] },
  // No parameter: knowing a caller by a session takes a look at the session.
  session: { table: ["dynamodb:GetItem"], index: [] },
  // Nor is this one: whether the application that has a token is still registered.
  application: { table: ["dynamodb:GetItem"], index: [] },
} as const satisfies Record<string, { table: readonly string[]; index: readonly string[] }>;

/** Those of an entity, as generic parameters say it. */
const OF_ENTITY = ["Read", "Write", "Create", "Update", "Delete"] as const;
const isOfEntity = (kind: string): kind is (typeof OF_ENTITY)[number] => (OF_ENTITY as readonly string[]).includes(kind);

/** The actions on the table that a capability takes beside its own, for how the entity is kept. */
function besides(kind: string, { hasUnique, hasTallies }: Entity): string[] {
  return [
    // Who is replaced gives back the values that the next one does not have.
    ...(kind === "Update" && hasUnique ? ["dynamodb:DeleteItem"] : []),
    // Who comes, goes or changes is counted.
    ...(["Create", "Update", "Delete", "Write"].includes(kind) && hasTallies ? ["dynamodb:UpdateItem"] : []),
  ];
}

/** Of no entity: the store counts under these prefixes. */
const LIMIT: Entity = { prefix: "limit", indexes: 0, hasUnique: false, hasTallies: false };
const METER: Entity = { prefix: "meter", indexes: 0, hasUnique: false, hasTallies: false };

/** Those who take one of these ask who is calling, whoever may call. */
const ASKING = ["Caller", "Option<Caller>", "Result<Caller, Fault>", "Ownership"];

/** Capabilities that reach what is outside of AWS, where roles give no rights. */
const OUTSIDE = ["RelyingParty"];

/** Capabilities that reach nothing of AWS beside the call itself. */
const HARMLESS = [...ASKING, ...OUTSIDE, "Clock", "Ids", "Cookies", "ClientInfo", "HttpRequest", "RegistrationPolicy", "Site", "TokenKeys", "&'static Definition"];

/** Whether a capability names an action at a place (`undefined` is the table) on all these partition keys. */
export function names(
  capabilities: readonly Capability[],
  action: string,
  index: number | undefined,
  keys: readonly string[],
): boolean {
  return capabilities.some(({ kind, entity }) => {
    const actions: readonly string[] = index === undefined ? [...MEANING[kind].table, ...besides(kind, entity)] : MEANING[kind].index;
    const stands = index === undefined || index < entity.indexes;
    return stands && actions.includes(action) && keys.every((key) => key.startsWith(`${entity.prefix}#`));
  });
}

/** All entities by name; the last ones are `Limit` and `Meter`, which have no files. */
function readEntities(): Map<string, Entity> {
  const found = new Map<string, Entity>();
  for (const file of rustFiles(["shared/model/src", "shared/identity/src/entities"])) {
    for (const [, prefix, stated, name] of code(file).matchAll(
      /^#\[entity\(prefix = "([^"]+)"(.*?)^pub struct (\w+) \{$/gms,
    )) {
      const count = (what: string): number => [...stated!.matchAll(new RegExp(`^#\\[entity\\(${what} = `, "gm"))].length;
      found.set(name!, { prefix: prefix!, indexes: count("index"), hasUnique: count("unique") > 0, hasTallies: count("tally") > 0 });
    }
  }
  return found.set("Limit", LIMIT).set("Meter", METER);
}

/** The names of all secrets, by the types that are read from them. */
function readSecrets(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of rustFiles(["functions/src", "shared/model/src", "shared/identity/src", "shared/runtime/src"])) {
    for (const [, type, name] of code(file).matchAll(/^impl SecretKind for (\w+) \{\s+const NAME: &'static str = "([^"]+)";/gm)) {
      found.set(type!, name!);
    }
  }
  return found;
}

/** What names in a signature stand for. */
export interface Meanings {
  readonly entities: ReadonlyMap<string, Entity>;
  /** The names of secrets, by the types that are read from them. */
  readonly secrets: ReadonlyMap<string, string>;
  /** The fields of structures that bundle capabilities. */
  readonly bundles: ReadonlyMap<string, readonly Parameter[]>;
}

type Parameter = readonly [name: string, type: string];

/** All of them, from the Rust files. */
export function readMeanings(): Meanings {
  return { entities: readEntities(), secrets: readSecrets(), bundles: readBundles() };
}

/** The structures with `#[derive(Capability)]`, which ask for what their fields ask for. */
function readBundles(): Map<string, readonly Parameter[]> {
  const found = new Map<string, readonly Parameter[]>();
  const bundle =
    /^#\[derive\([^)]*\bCapability\b[^)]*\)\]\s+(?:pub(?:\([^)]*\))? )?struct (\w+)(?:<U: IdentityUser>)? \{$(.*?)^\}$/gms;
  for (const file of rustFiles(["functions/src", "shared/identity/src"])) {
    for (const [, name, fields] of code(file).matchAll(bundle)) {
      if (found.has(name!)) {
        throw new Error(`there are two bundles of capabilities with the name ${name}`);
      }
      found.set(name!, parameters(fields!.replace(/\bpub(\([^)]*\))? /g, "")));
    }
  }
  return found;
}

/** What a procedure's file asks for. @throws Error on a parameter that is not understood */
export function readSignature(procedure: string, meanings: Meanings): Signature {
  const name = `${procedure.replaceAll(".", "/").replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.rs`;
  const file = ["functions/src", MOUNTED].map((folder) => join(ROOT, folder, name)).find((path) => existsSync(path));
  return parseSignature(procedure, code(file ?? fail(`there is no file of ${procedure}`)), meanings);
}

/** The same of a file's text. */
export function parseSignature(procedure: string, text: string, { entities, secrets, bundles }: Meanings): Signature {
  const [, stated, list] = /^#\[procedure\((.*?)\)\]\s+(?:#\[[^\]]*\]\s+)*pub async fn \w+(?:<U: IdentityUser>)?\((.*?)\)\s*->/ms.exec(text) ?? [];
  if (stated === undefined || list === undefined) {
    throw new Error(`the file of ${procedure} has no procedure`);
  }
  const entity = (name: string): Entity => entities.get(name) ?? fail(`${procedure}: there is no entity ${name}`);
  const signature = { capabilities: [] as Capability[], secrets: [] as string[], sendsMail: false };
  const unbundled = (all: readonly Parameter[]): Parameter[] =>
    all.flatMap((parameter) => (bundles.has(parameter[1]) ? unbundled(bundles.get(parameter[1])!) : [parameter]));
  const types = unbundled(parameters(list));
  if (!/\bauth = public\b/.test(stated) || types.some(([, type]) => ASKING.includes(type))) {
    signature.capabilities.push({ kind: "session", entity: entity("Session") });
    if (asksOfApplications(stated)) {
      signature.capabilities.push({ kind: "application", entity: entity("ApplicationClient") });
    }
  }
  // Who is known and was refused what changes something is written down.
  if (/^mutation\b/.test(stated) && !/\bauth = public\b/.test(stated)) {
    signature.capabilities.push({ kind: "Create", entity: entity("AuditEntry") });
  }
  // What is read is charged to who calls, but where anybody may change something: that has limits of its own.
  const isOpen = /^mutation\b/.test(stated) && /\bauth = public\b/.test(stated);
  if (!isOpen && types.some(([, type]) => /^(?:Read|Write)</.test(type))) {
    signature.capabilities.push({ kind: "meter", entity: METER });
  }
  for (const [name, type] of types) {
    const [, kind = type, of = ""] = /^(\w+)<(\w+)>$/.exec(type) ?? [];
    if (isOfEntity(kind)) {
      signature.capabilities.push({ kind, entity: entity(of) });
    } else if (kind === "RateLimits") {
      signature.capabilities.push({ kind, entity: LIMIT });
    } else if (kind === "Signer") {
      signature.secrets.push("signing");
    } else if (kind === "Secret") {
      signature.secrets.push(secrets.get(of) ?? fail(`${procedure}: ${of} is no secret`));
    } else if (kind === "Mail") {
      signature.sendsMail = true;
    } else if (!HARMLESS.includes(type)) {
      fail(`${procedure}: what \`${name}: ${type}\` means for its rights is not stated here`);
    }
  }
  return signature;
}

/**
 * Whether a token is asked whether it still holds where applications may come through: in mutations that take a
 * permission and do not say why not, and wherever it is stated.
 */
function asksOfApplications(stated: string): boolean {
  const changes = /^\s*mutation\b/.test(stated) && /\bauth = permission\(/.test(stated) && !/\bsession = "/.test(stated);
  return (changes || /\bsensitive\b/.test(stated)) && !/\bauth = signed_in\b/.test(stated);
}

function fail(message: string): never {
  throw new Error(message);
}

function rustFiles(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".rs"))
      .map((file) => join(ROOT, folder, file)),
  );
}

/** `users: Read<User>, #[input] input: Input` as names and types of the capabilities. */
function parameters(list: string): Parameter[] {
  return list
    .split(/,(?![^<]*>)/)
    .map((parameter) => parameter.trim())
    // What callers send gives no rights.
    .filter((parameter) => parameter !== "" && !parameter.startsWith("#[input] "))
    .map((parameter) => {
      const [, name, type] = /^(\w+): (.+)$/s.exec(parameter) ?? [];
      if (name === undefined || type === undefined) {
        throw new Error(`\`${parameter}\` is no parameter`);
      }
      // A bundle for `U` is found by its name without it.
      return [name, isOfEntity(type.split("<")[0]!) ? type.replace("<U>", "<User>") : type.replace(/<U(?:ser)?>$/, "")];
    });
}

/** A file without comments and tests. */
function code(file: string): string {
  return readFileSync(file, "utf8").split("#[cfg(test)]")[0]!.replace(/^\s*\/\/.*$/gm, "");
}
