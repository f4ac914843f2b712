/**
 * The part of the contract that infrastructure needs, checked when it is loaded.
 *
 * Only the members named here are read; the others are for other readers.
 */
import { readFileSync } from "node:fs";
import type * as generated from "./contract-format.js";
import { Problem } from "./problem.js";

/** The version of the contract's format that this program understands. */
const FORMAT = 1;

/** The part of a service's contract that infrastructure needs. The generator's types are in `generated`; this module checks what it reads. */
export interface Contract {
  /** The first word of all physical names. */
  readonly service: string;
  /** The Cargo packages with the functions' programs. */
  readonly packages: readonly string[];
  /** What the names of these programs begin with: nothing, or `shop-` beside another service. */
  readonly programPrefix: string;
  readonly table: TableContract;
  /** The JSON Schemas of the configurations that procedures take, by name. */
  readonly configs: ReadonlyMap<string, object>;
  readonly procedures: readonly Procedure[];
  readonly gateways: readonly Gateway[];
}

/** The one table of a service. All attributes of keys are strings. */
export interface TableContract extends Readonly<Omit<generated.Table, "indexes" | "streamView">> {
  readonly indexes: readonly Readonly<generated.TableIndex>[];
  /** The view of the table's stream; none if nobody reads it. */
  readonly streamView: StreamView | undefined;
}

const STREAM_VIEWS = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] as const;
export type StreamView = (typeof STREAM_VIEWS)[number];

const KINDS = ["query", "mutation"] as const satisfies readonly generated.Kind[];
const AUTHS = ["public", "signedIn", "permission"] as const satisfies readonly generated.AuthContract["type"][];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** One procedure, which becomes one function. */
export interface Procedure {
  /** Its name on the wire: `orders.markPaid`. */
  readonly name: string;
  /** The name of its function in a stage, and of its program: `orders-mark-paid`. */
  readonly function: string;
  /** The first word of the name: `users`. */
  readonly domain: string;
  readonly kind: generated.Kind;
  /** Whether anybody may call it. */
  readonly isPublic: boolean;
  readonly memoryMb: number;
  /** The time limit, in milliseconds, after which the function itself answers a timeout. */
  readonly timeoutMs: number;
  /** How many calls may run at once; the account's limit when it is not stated. */
  readonly reservedConcurrency: number | undefined;
  /** How many seconds a shared cache may keep a result, which is the same for all callers. */
  readonly cacheSeconds: number | undefined;
  /** Its own method and path, if a standard dictates them; else it is called at `/trpc/<name>`. */
  readonly http: HttpRoute | undefined;
  /** Its REST route, at which it is called as well. */
  readonly rest: HttpRoute | undefined;
  /** The secrets that it reads, by name. */
  readonly secrets: readonly string[];
  /** The configurations that it takes, by name. */
  readonly configs: readonly string[];
  /** Whether its input has a cursor, which another instance may have sealed. */
  readonly takesCursor: boolean;
  /** Whether its input has a password: one to check, or one to set. */
  readonly takesPassword: boolean;
  readonly sendsMail: boolean;
  readonly grants: readonly Grant[];
}

/**
 * A gateway: one style over all procedures. It becomes one function, which may invoke theirs and nothing else. Its name
 * is that of the function: `gateway-graphql`.
 */
export interface Gateway extends Readonly<Pick<generated.GatewayContract, "name" | "memoryMb" | "timeoutMs">> {
  readonly paths: readonly string[];
  readonly invokes: readonly string[];
}

export interface HttpRoute {
  readonly method: (typeof METHODS)[number];
  /** `/payments/notify`, or with a part that stands for any: `/payments/{provider}`. */
  readonly path: string;
}

/** A right to the items of one entity. */
export interface Grant extends Readonly<Pick<generated.GrantContract, "prefix" | "leadingKeys">> {
  readonly actions: readonly string[];
  readonly indexes: readonly string[];
}

/** An HTTP API waits 30 s at most; a function's own limit must be a second below. */
const MAX_TIMEOUT_MS = 29_000;
/** A day, as in `#[procedure]`. */
export const MAX_CACHE_S = 86_400;
const SERVICE_NAME = /^[a-z][a-z0-9-]{0,23}$/;
const PACKAGE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const PROGRAM_PREFIX = /^(?:[a-z][a-z0-9-]{0,31}-)?$/;
const PROCEDURE_NAME = /^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)+$/;
const FUNCTION_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/;
/** IAM gives `*` and `?` a meaning, so a prefix must not have them. */
const PREFIX = /^[A-Za-z0-9_-]+$/;
/** CloudFront and API Gateway give other characters a meaning. */
const PATH = /^(\/[A-Za-z0-9._~-]+)(\/([A-Za-z0-9._~-]+|\{[a-z][A-Za-z0-9]*\}))*$/;
const GATEWAY_PATH = /^(\/[A-Za-z0-9._~-]+)+(\/\{proxy\+\})?$/;
const GATEWAY_NAME = /^[a-z][a-z0-9]*$/;
/** The prefix of the gateways' function names; a domain of this name would collide. */
const GATEWAY = "gateway";
/** The reference to a cursor's type in an input's schema. */
const CURSOR = "#/inputTypes/Cursor";
/** A part of a secret's name at AWS, and of the name of a variable: configurations have such names as well. */
export const SECRET_NAME = /^[a-z][a-z0-9-]{0,62}$/;
/** The limits of DynamoDB for names of indexes. */
const INDEX_NAME = /^[a-zA-Z0-9_.-]{3,255}$/;

/**
 * Reads and checks a contract.
 *
 * @throws Problem naming the file, the member and what is wrong with it.
 */
export function loadContract(path: string): Contract {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new Problem(`${path} cannot be read. \`cargo regen\` writes the contract.`);
  }
  try {
    return parseContract(JSON.parse(text));
  } catch (error) {
    if (error instanceof Problem || error instanceof SyntaxError) {
      throw new Problem(`${path}: ${error.message}`);
    }
    throw error;
  }
}

/** Checks a parsed contract. @throws Problem */
export function parseContract(value: unknown): Contract {
  const root = new Reader<generated.Contract>(value, "the contract");
  const format = root.integer("format", 0, Number.MAX_SAFE_INTEGER);
  if (format !== FORMAT) {
    throw new Problem(`the contract has format ${format}, and format ${FORMAT} is understood here.`);
  }
  const procedures = root.list("procedures").map((procedure) => parseProcedure(procedure, value));
  expectUnique("procedures", procedures.map((procedure) => procedure.name));
  checkRoutes(procedures);
  const gateways = root.list("gateways").map((gateway) => parseGateway(gateway, procedures));
  checkGateways(gateways, procedures);
  const service = root.text("service", SERVICE_NAME);
  const configs = parseConfigs(root, procedures);
  return { service, ...parsePackages(root), table: parseTable(root.object("table")), configs, procedures, gateways };
}

function parseConfigs(root: Reader<generated.Contract>, procedures: readonly Procedure[]): Contract["configs"] {
  const stated: unknown = root.has("configs") ? root.member("configs") : {};
  const schemas = new Map(Object.entries(isObject(stated) ? stated : {}).filter((entry): entry is [string, Members] => isObject(entry[1])));
  for (const { name, configs } of procedures) {
    const strange = configs.find((config) => !schemas.has(config));
    if (strange !== undefined) {
      throw new Problem(`${name} takes the configuration ${strange}, of which \`configs\` of the contract has no schema.`);
    }
  }
  return schemas;
}

function parsePackages(root: Reader<generated.Contract>): Pick<Contract, "packages" | "programPrefix"> {
  const layout = root.has("layout") ? root.object("layout") : undefined;
  if (layout === undefined || !layout.has("packages")) {
    throw new Problem("`layout` of the contract names no packages of functions to deploy: the service's `Definition` states them.");
  }
  const packages = layout.object("packages");
  const names = (["functions", "gateways"] as const).map((member) => packages.object(member).text("name", PACKAGE_NAME));
  return { packages: names, programPrefix: packages.has("prefix") ? packages.text("prefix", PROGRAM_PREFIX) : "" };
}

function parseTable(table: Reader<generated.Table>): TableContract {
  const indexes = table.list("indexes").map((index) => ({
    name: index.text("name", INDEX_NAME),
    partitionKey: index.text("partitionKey"),
    sortKey: index.text("sortKey"),
  }));
  expectUnique("indexes", indexes.map((index) => index.name));
  return {
    partitionKey: table.text("partitionKey"),
    sortKey: table.text("sortKey"),
    indexes,
    timeToLive: table.text("timeToLive"),
    streamView: table.has("streamView") ? table.oneOf("streamView", STREAM_VIEWS) : undefined,
  };
}

function parseProcedure(unnamed: Reader<generated.ProcedureContract>, contract: unknown): Procedure {
  const name = unnamed.text("name", PROCEDURE_NAME);
  const procedure = unnamed.called(name);
  return {
    name,
    function: procedure.text("function", FUNCTION_NAME),
    domain: name.slice(0, name.indexOf(".")),
    kind: procedure.oneOf("kind", KINDS),
    isPublic: procedure.object("auth").oneOf("type", AUTHS) === "public",
    // The limits of Lambda.
    memoryMb: procedure.integer("memoryMb", 128, 10_240),
    timeoutMs: procedure.integer("timeoutMs", 1, MAX_TIMEOUT_MS),
    reservedConcurrency: procedure.has("reservedConcurrency")
      ? procedure.integer("reservedConcurrency", 1, Number.MAX_SAFE_INTEGER)
      : undefined,
    cacheSeconds: parseCacheSeconds(procedure, name),
    http: procedure.has("http") ? parseRoute(procedure, "http", name) : undefined,
    rest: procedure.has("rest") ? parseRoute(procedure, "rest", name) : undefined,
    secrets: procedure.texts("secrets", SECRET_NAME),
    // Earlier contracts have none.
    configs: procedure.has("configs") ? procedure.texts("configs", SECRET_NAME) : [],
    takesCursor: takesCursor(contract, procedure.member("input")),
    takesPassword: takesPassword(contract, procedure.member("input")),
    sendsMail: procedure.flag("mail"),
    grants: procedure.list("grants").map(parseGrant),
  };
}

/** Whether an input contains a cursor. */
export function takesCursor(contract: unknown, input: unknown): boolean {
  return [...schemasOf(contract, input)].some(({ $ref }) => $ref === CURSOR);
}

/** Whether an input contains a password, under any name: OpenAPI has a format for it. */
function takesPassword(contract: unknown, input: unknown): boolean {
  return [...schemasOf(contract, input)].some(({ format }) => format === "password");
}

/** A schema's parts, including those of the types that it refers to, transitively. */
function schemasOf(contract: unknown, schema: unknown): ReadonlySet<Members> {
  const found = new Set<Members>();
  const visit = (part: unknown): void => {
    if (!isObject(part) || found.has(part)) {
      return;
    }
    found.add(part);
    Object.values(part).forEach(visit);
    if (typeof part["$ref"] === "string") {
      visit(part["$ref"].split("/").slice(1).reduce((at: unknown, member) => (isObject(at) ? at[member] : undefined), contract));
    }
  };
  visit(schema);
  return found;
}

type Members = Readonly<Record<string, unknown>>;

/** Whether a value is an object or a list. */
function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

/** A cached result goes to every caller: only public queries may have one. */
function parseCacheSeconds(procedure: Reader<generated.ProcedureContract>, name: string): number | undefined {
  if (!procedure.has("cacheSeconds")) {
    return undefined;
  }
  if (procedure.oneOf("kind", KINDS) !== "query" || procedure.object("auth").oneOf("type", AUTHS) !== "public") {
    throw new Problem(`${name} has \`cacheSeconds\`, which only a query that everybody may call can have.`);
  }
  return procedure.integer("cacheSeconds", 1, MAX_CACHE_S);
}

function parseRoute(procedure: Reader<generated.ProcedureContract>, member: "http" | "rest", name: string): HttpRoute {
  const [verb = "", path = "", more] = procedure.text(member).split(" ");
  const method = METHODS.find((known) => known === verb);
  if (method === undefined || !PATH.test(path) || path.startsWith("/trpc/") || more !== undefined) {
    throw new Problem(`\`${member}\` of ${name} is no method and path such as "POST /payments/notify", outside of /trpc/.`);
  }
  return { method, path };
}

/** CloudFront caches by the path alone, and passes on only what a GET needs at a cached path. */
function checkRoutes(procedures: readonly Procedure[]): void {
  const own = procedures.flatMap(({ name, http, cacheSeconds }) => (http === undefined ? [] : [{ name, ...http, isKept: cacheSeconds !== undefined }]));
  const rest = procedures.flatMap(({ name, rest }) => (rest === undefined ? [] : [{ name, ...rest }]));
  expectUnique("routes", [...own, ...rest].map(({ method, path }) => `${method} ${shapeOf(path)}`));
  // The owner of a path answers all its methods, and a REST path has other error formats.
  const shapes = new Map<string, string>();
  for (const [path, kind] of [...own.map(({ path }) => [path, "http"] as const), ...rest.map(({ path }) => [path, "rest"] as const)]) {
    const known = shapes.get(shapeOf(path)) ?? `${kind} ${path}`;
    if (known !== `${kind} ${path}`) {
      throw new Problem(`${path} and ${known.slice("http ".length)} are the same path: one name for each part of it, and either \`rest\` or \`http\`.`);
    }
    shapes.set(shapeOf(path), known);
  }
  for (const { name, method, path } of own.filter(({ isKept }) => isKept)) {
    if (method !== "GET" || path.includes("{") || own.some((other) => other.path === path && other.name !== name)) {
      throw new Problem(`${name} has \`cacheSeconds\` and so must have one path for itself, with GET.`);
    }
  }
}

/** The shape of a path, without the names of its parameters. */
function shapeOf(path: string): string {
  return path.replaceAll(/\{\w+\}/g, "{}");
}

function parseGateway(unnamed: Reader<generated.GatewayContract>, procedures: readonly Procedure[]): Gateway {
  const name = `${GATEWAY}-${unnamed.text("name", GATEWAY_NAME)}`;
  const gateway = unnamed.called(name);
  const invokes = gateway.texts("invokes", PROCEDURE_NAME);
  const strange = invokes.find((name) => !procedures.some((procedure) => procedure.name === name && procedure.http === undefined));
  if (strange !== undefined || gateway.flag("calls") !== invokes.length > 0) {
    throw new Problem(`${name} invokes ${strange ?? "nothing, or says so and does"}: a gateway that calls invokes procedures that have no \`http\`.`);
  }
  return {
    name,
    paths: gateway.texts("paths", GATEWAY_PATH),
    invokes,
    memoryMb: gateway.integer("memoryMb", 128, 10_240),
    timeoutMs: gateway.integer("timeoutMs", 1, MAX_TIMEOUT_MS),
  };
}

function checkGateways(gateways: readonly Gateway[], procedures: readonly Procedure[]): void {
  expectUnique("gateways", gateways.map(({ name }) => name));
  const taken = procedures.flatMap(({ http, rest }) => [http, rest].flatMap((route) => (route === undefined ? [] : [route.path])));
  expectUnique("paths", [...new Set(taken), ...gateways.flatMap(({ paths }) => paths)]);
  if (procedures.some(({ domain }) => domain === GATEWAY)) {
    throw new Problem(`There is a domain named ${GATEWAY}, which is what the names of gateways' functions begin with: rename the folder.`);
  }
}

function parseGrant(grant: Reader<generated.GrantContract>): Grant {
  const prefix = grant.text("prefix", PREFIX);
  const leadingKeys = grant.text("leadingKeys");
  if (leadingKeys !== `${prefix}#*`) {
    throw new Problem(`${grant.at("leadingKeys")} is ${JSON.stringify(leadingKeys)}, and not "${prefix}#*".`);
  }
  return { prefix, leadingKeys, actions: grant.texts("actions"), indexes: grant.texts("indexes") };
}

function expectUnique(what: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new Problem(`two ${what} are named "${twice}".`);
  }
}

/** The member names of all variants of a type. */
type MemberOf<T> = T extends unknown ? Extract<keyof T, string> : never;
/** The type of a member that may be null. */
type Of<T, M> = T extends unknown ? (M extends keyof T ? NonNullable<T[M]> : never) : never;

/** A reader of a JSON object of type `T`, which knows the object's place. */
class Reader<T> {
  readonly #members: Members;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    if (!isObject(value) || Array.isArray(value)) {
      throw new Problem(`${place} is not an object.`);
    }
    this.#members = value;
    this.#place = place;
  }

  /** The same object under another name. */
  called(place: string): Reader<T> {
    return new Reader(this.#members, place);
  }

  at(member: MemberOf<T>): string {
    return `\`${member}\` of ${this.#place}`;
  }

  /** Whether an optional member is present. */
  has(member: MemberOf<T>): boolean {
    return this.#members[member] !== undefined && this.#members[member] !== null;
  }

  /** A member of any form. */
  member(member: MemberOf<T>): unknown {
    return this.#members[member];
  }

  object<M extends MemberOf<T>>(member: M): Reader<Of<T, M>> {
    return new Reader(this.#members[member], this.at(member));
  }

  list<M extends MemberOf<T>>(member: M): Reader<Of<T, M> extends readonly (infer I)[] ? I : never>[] {
    return this.#array(member).map((value, at) => new Reader(value, `number ${at + 1} in ${this.at(member)}`));
  }

  text(member: MemberOf<T>, pattern = /^.+$/s): string {
    const value = this.#members[member];
    if (typeof value !== "string" || !pattern.test(value)) {
      throw new Problem(`${this.at(member)} is ${JSON.stringify(value)}, and not text like ${pattern.source}.`);
    }
    return value;
  }

  texts(member: MemberOf<T>, pattern = /^/): string[] {
    return this.#array(member).map((value) => {
      if (typeof value !== "string" || !pattern.test(value)) {
        throw new Problem(`${this.at(member)} holds ${JSON.stringify(value)}, which is no text like ${pattern.source}.`);
      }
      return value;
    });
  }

  flag(member: MemberOf<T>): boolean {
    const value = this.#members[member];
    if (typeof value !== "boolean") {
      throw new Problem(`${this.at(member)} is ${JSON.stringify(value)}, and neither true nor false.`);
    }
    return value;
  }

  integer(member: MemberOf<T>, least: number, most: number): number {
    const value = this.#members[member];
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
      throw new Problem(`${this.at(member)} is ${JSON.stringify(value)}, and not a whole number ${range}.`);
    }
    return value as number;
  }

  oneOf<V extends string>(member: MemberOf<T>, known: readonly V[]): V {
    const value = this.#members[member];
    const found = known.find((candidate) => candidate === value);
    if (found === undefined) {
      throw new Problem(`${this.at(member)} is ${JSON.stringify(value)}, and not one of ${known.join(", ")}.`);
    }
    return found;
  }

  #array(member: MemberOf<T>): unknown[] {
    const value = this.#members[member];
    if (!Array.isArray(value)) {
      throw new Problem(`${this.at(member)} is not a list.`);
    }
    return value;
  }
}
