/**
 * Which nested stack and which HTTP API a procedure belongs to.
 *
 * The place depends on names only, never on a position: a new procedure moves no other one, as long as
 * the number of parts stays. A procedure that moves is deleted and created again, and its names must be
 * free first; so before a number grows by itself, state it under `layout` in `stages.ts` or plan the move.
 */
import { createHash } from "node:crypto";
import type { Contract, Procedure } from "./contract.js";
import { Problem } from "./problem.js";
import { coveredBy } from "./routes.js";
import type { LayoutPins } from "./stage.js";

/** CloudFormation's limit for a stack is 500 resources. */
export const MAX_RESOURCES_PER_STACK = 480;
const RESOURCES = 6;
/** The resources of a REST route: two, and an integration if it is at another HTTP API than the procedure. */
const REST_RESOURCES = 3;
/** API Gateway's limit is 300 routes and 300 integrations for an API; one is the answer to unknown routes. */
export const MAX_ROUTES_PER_API = 299;
/** The most nested stacks of a domain; more are a mistake. */
const MAX_STACKS = 64;
/** One alarm sums up all HTTP APIs, and CloudWatch takes ten metrics for one alarm. */
const MAX_APIS = 10;

/** One nested stack. */
export interface Shard {
  /** Its name: `users`, or `users-2` if the domain has several. */
  readonly name: string;
  readonly domain: string;
  readonly procedures: readonly Procedure[];
}

export interface Layout {
  readonly shards: readonly Shard[];
  /** The number of HTTP APIs. */
  readonly apis: number;
  /**
   * The number, from 0, of the API that has a procedure's route. All HTTP paths of their own are at the first one:
   * CloudFront selects the API by a path's beginning, and these do not begin with a domain.
   */
  apiOf(procedure: Pick<Procedure, "domain" | "http">): number;
  /** The API of its REST route, by the beginning of the path; the first one if it has no route. */
  apiOfRest(procedure: Pick<Procedure, "rest">): number;
}

/** The collection of a path, `/v1/orders` of `/v1/orders/{id}/lines`: one HTTP API has all of it. */
export function collectionOf(path: string): string {
  const [, ...parts] = path.split("/");
  const end = parts.slice(0, 2).findIndex((part) => part.startsWith("{"));
  return `/${parts.slice(0, end === -1 ? 2 : end).join("/")}`;
}

/** Whether each HTTP API has this path: a path below `/trpc/` without a domain may reach any of them. */
export function isEverywhere(path: string): boolean {
  return path.startsWith("/trpc/");
}

/** @throws Problem when a pinned number is too small, or a domain too large for one API. */
export function layOut(contract: Contract, pins: LayoutPins = {}): Layout {
  const domains = byDomain(contract);
  const isCovered = coveredBy(contract.procedures.flatMap(({ http, rest }) => [http, rest].flatMap((route) => (route === undefined ? [] : [route.path]))));
  const shards = [...domains].flatMap(([domain, procedures]) => split(domain, procedures, pins.stacks?.[domain], isCovered));
  const apis = countApis(contract, pins.apis);
  return {
    shards,
    apis,
    apiOf: ({ domain, http }) => (http === undefined ? place(domain, apis) : 0),
    apiOfRest: ({ rest }) => (rest === undefined ? 0 : place(collectionOf(rest.path), apis)),
  };
}

function byDomain(contract: Contract): Map<string, Procedure[]> {
  const domains = new Map<string, Procedure[]>();
  for (const procedure of contract.procedures) {
    domains.set(procedure.domain, [...(domains.get(procedure.domain) ?? []), procedure]);
  }
  return domains;
}

function split(domain: string, procedures: readonly Procedure[], pinned: number | undefined, isCovered: (path: string) => boolean): Shard[] {
  const weights = procedures.map(({ name, http, rest }) => {
    const forHead = [http, rest].filter((route) => route?.method === "GET" && isCovered(route.path)).length;
    return [name, RESOURCES + (rest === undefined ? 0 : REST_RESOURCES) + forHead] as const;
  });
  const load = (parts: number): number => heaviest(weights, parts);
  const parts = chooseParts(`layout.stacks.${domain}`, "resources in a stack", pinned, { limit: MAX_RESOURCES_PER_STACK, most: MAX_STACKS }, load);
  const shards = Array.from({ length: parts }, (_, at) => ({
    name: parts === 1 ? domain : `${domain}-${at + 1}`,
    domain,
    procedures: procedures.filter((procedure) => place(procedure.name, parts) === at),
  }));
  return shards.filter((shard) => shard.procedures.length > 0);
}

/** The number of HTTP APIs. A domain stays whole, and so does a collection: CloudFront selects the API by `/trpc/<domain>.*` and `/v1/<collection>*`. */
function countApis({ procedures, gateways }: Contract, pinned: number | undefined): number {
  const paths = gateways.flatMap((gateway) => gateway.paths);
  const everywhere = paths.filter(isEverywhere).length;
  const limit = MAX_ROUTES_PER_API - everywhere;
  const sizes = new Map<string, number>();
  for (const { domain, http, rest } of procedures) {
    for (const whole of [http === undefined ? domain : undefined, rest === undefined ? undefined : collectionOf(rest.path)]) {
      if (whole !== undefined) {
        sizes.set(whole, (sizes.get(whole) ?? 0) + 1);
      }
    }
  }
  for (const [whole, size] of sizes) {
    if (size > limit) {
      const [what, otherwise] = whole.startsWith("/") ? ["Under", "use other paths"] : ["Domain", "split the folder"];
      throw new Problem(`${what} ${whole} ${whole.startsWith("/") ? "are" : "has"} ${size} routes, and an HTTP API takes ${limit}: ${otherwise}.`);
    }
  }
  const first = procedures.filter(({ http }) => http !== undefined).length + paths.length - everywhere;
  const load = (parts: number): number => heaviest([...sizes], parts, first);
  return chooseParts("layout.apis", "routes in an HTTP API", pinned, { limit, most: MAX_APIS }, load);
}

function chooseParts(
  pin: string,
  what: string,
  pinned: number | undefined,
  { limit, most }: { readonly limit: number; readonly most: number },
  load: (parts: number) => number,
): number {
  // Doubling changes the number seldom.
  let fitting = 1;
  while (load(fitting) > limit && fitting < most) {
    fitting = Math.min(2 * fitting, most);
  }
  const parts = pinned ?? fitting;
  if (load(parts) > limit) {
    throw new Problem(`${pin} is ${parts}, which puts ${load(parts)} ${what}; ${limit} are possible. ${fitting} would do.`);
  }
  return parts;
}

/** @param first what the first part has beside them */
function heaviest(weights: readonly (readonly [name: string, weight: number])[], parts: number, first = 0): number {
  const loads = new Array<number>(parts).fill(0);
  loads[0] = first;
  for (const [name, weight] of weights) {
    const at = place(name, parts);
    loads[at] = (loads[at] ?? 0) + weight;
  }
  return Math.max(...loads);
}

/** Rendezvous hashing: when a part is added, names move to the new part only, and never between the old ones. */
export function place(name: string, parts: number): number {
  let best = 0;
  let bestScore = "";
  for (let part = 0; part < parts; part += 1) {
    const score = createHash("sha256").update(`${part}/${name}`).digest("hex");
    if (score > bestScore) {
      [best, bestScore] = [part, score];
    }
  }
  return best;
}
