/**
 * What the signatures of the procedures ask for, read from their Rust files, and what that means at
 * DynamoDB, written down here once more. Neither comes from the contract: a mistake on the way from a
 * signature to the contract is found by this.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type RawContract, ROOT } from "./support.js";

/** The procedures of the package that services mount for their `User`, which is `U` there. */
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
const HARMLESS = [...ASKING, ...OUTSIDE, "Clock", "Ids", "Cookies", "ClientInfo", "HttpRequest", "Metrics", "RegistrationPolicy", "Site", "TokenKeys", "&'static Definition"];

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
function readEntities(sources: readonly string[]): Map<string, Entity> {
  const found = new Map<string, Entity>();
  for (const file of rustFiles([...sources, "shared/identity/src/entities"])) {
    entitiesIn(code(file)).forEach(([name, entity]) => found.set(name, entity));
  }
  return found.set("Limit", LIMIT).set("Meter", METER);
}

/** The entities of one file, by name. */
export function entitiesIn(text: string): [name: string, entity: Entity][] {
  return [...text.matchAll(/^#\[entity\(prefix = "([^"]+)"(.*?)^pub struct (\w+) \{$/gms)].map(([, prefix, stated, name]) => {
    const count = (what: string): number => [...stated!.matchAll(new RegExp(`^#\\[entity\\(${what} = `, "gm"))].length;
    return [name!, { prefix: prefix!, indexes: count("index"), hasUnique: count("unique") > 0, hasTallies: count("tally") > 0 }];
  });
}

/** The names of all secrets, by the types that are read from them. */
function readSecrets(sources: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of rustFiles([...sources, "shared/identity/src", "shared/runtime/src"])) {
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
  /** The parts of capabilities that consist of others. */
  readonly bundles: ReadonlyMap<string, readonly Parameter[]>;
}

type Parameter = readonly [name: string, type: string];
/** A capability that consists of others. */
type Bundle = readonly [name: string, parts: readonly Parameter[]];

/** What names stand for in a service, and where its Rust files are. */
export interface ServiceMeanings extends Meanings {
  /** The folders of its procedures, and of the packages of its own that they depend on. */
  readonly sources: readonly string[];
}

/** All of them, from the Rust files of a service in this tree. */
export function readMeanings({ layout }: RawContract): ServiceMeanings {
  const { folder } = layout?.packages?.functions ?? fail("the contract names no package of functions");
  const sources = [folder, ...ownDependencies(folder)].map((name) => `${name}/src`);
  return { sources, entities: readEntities(sources), secrets: readSecrets(sources), bundles: readBundles(sources) };
}

/** The folders of the packages that a service's package depends on, and that are not the framework's. */
function ownDependencies(folder: string): string[] {
  const [, dependencies = ""] = /^\[dependencies\]\n(.*?)(?:^\[|$(?![^]))/ms.exec(readFileSync(join(ROOT, folder, "Cargo.toml"), "utf8")) ?? [];
  const places = new Map([...readFileSync(join(ROOT, "Cargo.toml"), "utf8").matchAll(/^(\w+) = \{ path = "([^"]+)" \}$/gm)].map(([, name, place]) => [name!, place!]));
  const named = [...dependencies.matchAll(/^(\w+)\.workspace = true$/gm)].map(([, name]) => name!);
  return named.filter((name) => name !== "onefold").flatMap((name) => places.get(name) ?? []);
}

/** The capabilities that consist of others: those that are derived, the service's own that are written by hand, and what it exports. */
function readBundles(sources: readonly string[]): Map<string, readonly Parameter[]> {
  const own = rustFiles(sources).map(code);
  const mounted = rustFiles(["shared/identity/src"]).map(code);
  return byName([...[...own, ...mounted].flatMap(derivedIn), ...own.flatMap(writtenIn), ...own.flatMap(exportsIn)]);
}

/** @throws Error on two with one name */
export function byName(bundles: readonly Bundle[]): Map<string, readonly Parameter[]> {
  const found = new Map<string, readonly Parameter[]>();
  for (const [name, parts] of bundles) {
    if (found.has(name)) {
      throw new Error(`there are two bundles of capabilities with the name ${name}`);
    }
    found.set(name, parts);
  }
  return found;
}

/** The structures of a text with `#[derive(Capability)]`, which ask for what their fields ask for. */
function derivedIn(text: string): Bundle[] {
  const bundle =
    /^#\[derive\([^)]*\bCapability\b[^)]*\)\]\s+(?:pub(?:\([^)]*\))? )?struct (\w+)(?:<U: IdentityUser>)? \{$(.*?)^\}$/gms;
  return [...text.matchAll(bundle)].map(([, name, fields]) => [name!, parameters(fields!.replace(/\bpub(\([^)]*\))? /g, ""))]);
}

/**
 * The capabilities of a text that are written by hand, with those whose rights they state to need:
 * `const RIGHTS: Rights = Rights { outbound: &["…"], ..Rights::of(&[A::RIGHTS, B::RIGHTS]) };`. What is outside of AWS
 * is no right there. A capability whose rights are made otherwise is left out, and refused where a signature names it.
 */
export function writtenIn(text: string): Bundle[] {
  const written = /^( *)impl (?:\w+::)*Capability for (\w+) \{$(.*?)^\1\}$/gms;
  return [...text.matchAll(written)].flatMap(([, , name, body]): Bundle[] => {
    const parts = partsOf(unquoted(body!));
    return parts === undefined ? [] : [[name!, parts.map((type): Parameter => ["RIGHTS", type])]];
  });
}

/** The types whose rights an implementation lists; `undefined` if its rights are anything but such a list. */
function partsOf(body: string): string[] | undefined {
  const [, stated] = /\bconst\s+RIGHTS\b[^=]*=(.*?);/s.exec(body) ?? [];
  if (stated === undefined) {
    // The trait's own: none.
    return [];
  }
  const rights = stated.replaceAll(/\s+/g, " ").trim();
  const [, inside = rights] = /^Rights \{ outbound: &\[[", ]*\], \.\.(.*?),? \}$/.exec(rights) ?? [];
  if (inside === "Rights::NONE") {
    return [];
  }
  const [, list] = /^Rights::of\(&\[(.*)\]\)$/.exec(inside) ?? [];
  const parts = list === undefined ? undefined : split(list).map((part) => /^(.+)::RIGHTS$/.exec(part)?.[1]);
  return parts?.every((part) => part !== undefined) === true ? parts.map(typeOf) : undefined;
}

/** The type of an expression: `Secret<Key>` of `Secret::<keys::Key>`, and `Option<Caller>` of `<Option<Caller> as Capability>`. */
function typeOf(expression: string): string {
  const [, qualified = expression] = /^<(.+?)(?: as (?:\w+::)*Capability)?>$/.exec(expression) ?? [];
  return qualified.replaceAll("::<", "<").replaceAll(/\b\w+::/g, "");
}

/** The bundles that `identity::export!` makes: the user, the lists that the service states, and what identity keeps. */
export function exportsIn(text: string): Bundle[] {
  const [, ...after] = text.split(/\bidentity::export!\s*\{/);
  return after.map((rest): Bundle => {
    const [user = "", ...lists] = unquoted(rest).split("}")[0]!.split(";").map((part) => part.trim());
    const stated = lists.flatMap((list): Parameter[] => {
      const [, name, entity] = /^(\w+): (\S+) by /.exec(list) ?? [];
      return name === undefined || entity === undefined ? [] : [[name, `Read<${typeOf(entity)}>`]];
    });
    return ["Export", [["users", `Read<${typeOf(user)}>`], ...stated, ["data", "PersonalData"]]];
  });
}

/** A text with nothing in its string literals. */
function unquoted(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '""');
}

/** What a procedure's file asks for. @throws Error on a parameter that is not understood */
export function readSignature(procedure: string, meanings: ServiceMeanings): Signature {
  const name = `${procedure.replaceAll(".", "/").replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.rs`;
  const file = [...meanings.sources, MOUNTED].map((folder) => join(ROOT, folder, name)).find((path) => existsSync(path));
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
    } else if (kind === "Config") {
      // Plain values of the function's environment: no right at AWS.
    } else if (kind === "Mail") {
      signature.sendsMail = true;
    } else if (!HARMLESS.includes(type)) {
      fail(
        `${procedure}: what \`${name}: ${type}\` means for its rights cannot be read. A capability of the service consists of others: derive it, or state ` +
          "`const RIGHTS: Rights = Rights::of(&[A::RIGHTS, B::RIGHTS]);`, see docs/capabilities.md. What one of the framework means stands in shared/infra/test/signatures.ts",
      );
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

/** What stands between the commas that are in no `<…>`. */
function split(list: string): string[] {
  return list.split(/,(?![^<]*>)/).map((part) => part.trim()).filter((part) => part !== "");
}

/** `users: Read<User>, #[input] input: Input` as names and types of the capabilities. */
function parameters(list: string): Parameter[] {
  return split(list)
    // What callers send gives no rights.
    .filter((parameter) => !parameter.startsWith("#[input] "))
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
