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
import type { LayoutPins } from "./stage.js";

/** CloudFormation's limit for a stack is 500 resources; a procedure takes six. */
export const MAX_PROCEDURES_PER_STACK = 80;
/** API Gateway's limit is 300 routes and 300 integrations for an API; one is the answer to unknown routes. */
export const MAX_PROCEDURES_PER_API = 299;
/** More parts than this are a mistake. */
const MAX_PARTS = 64;

/** One nested stack. */
export interface Shard {
  /** `users`, or `users-2` when the domain has several. */
  readonly name: string;
  readonly domain: string;
  readonly procedures: readonly Procedure[];
}

export interface Layout {
  readonly shards: readonly Shard[];
  /** How many HTTP APIs there are. */
  readonly apis: number;
  /**
   * The number, from 0, of the API that has a procedure's route. Paths of their own are all at the first one:
   * CloudFront tells the APIs apart by a path's beginning, and these do not begin with a domain.
   */
  apiOf(procedure: Pick<Procedure, "domain" | "http">): number;
}

/** @throws Problem when a pinned number is too small, or a domain too large for one API. */
export function layOut(contract: Contract, pins: LayoutPins = {}): Layout {
  const domains = byDomain(contract);
  const shards = [...domains].flatMap(([domain, procedures]) => split(domain, procedures, pins.stacks?.[domain]));
  const usual = (procedures: readonly Procedure[]): number => procedures.filter(({ http }) => http === undefined).length;
  const sizes = new Map([...domains].map(([domain, procedures]) => [domain, usual(procedures)]));
  const apis = countApis(sizes, contract.procedures.length - usual(contract.procedures), pins.apis);
  return { shards, apis, apiOf: ({ domain, http }) => (http === undefined ? place(domain, apis) : 0) };
}

function byDomain(contract: Contract): Map<string, Procedure[]> {
  const domains = new Map<string, Procedure[]>();
  for (const procedure of contract.procedures) {
    domains.set(procedure.domain, [...(domains.get(procedure.domain) ?? []), procedure]);
  }
  return domains;
}

function split(domain: string, procedures: readonly Procedure[], pinned: number | undefined): Shard[] {
  const load = (parts: number): number => heaviest(procedures.map((procedure) => [procedure.name, 1]), parts);
  const parts = chooseParts(`layout.stacks.${domain}`, "procedures in a stack", pinned, MAX_PROCEDURES_PER_STACK, load);
  const shards = Array.from({ length: parts }, (_, at) => ({
    name: parts === 1 ? domain : `${domain}-${at + 1}`,
    domain,
    procedures: procedures.filter((procedure) => place(procedure.name, parts) === at),
  }));
  return shards.filter((shard) => shard.procedures.length > 0);
}

/** A domain stays whole: CloudFront tells the APIs apart by the path `/trpc/<domain>.*`. */
function countApis(sizes: ReadonlyMap<string, number>, ownPaths: number, pinned: number | undefined): number {
  for (const [domain, size] of sizes) {
    if (size > MAX_PROCEDURES_PER_API) {
      throw new Problem(`Domain ${domain} has ${size} procedures, and an HTTP API takes ${MAX_PROCEDURES_PER_API}: split the folder.`);
    }
  }
  const load = (parts: number): number => heaviest([...sizes], parts, ownPaths);
  return chooseParts("layout.apis", "procedures in an HTTP API", pinned, MAX_PROCEDURES_PER_API, load);
}

function chooseParts(
  pin: string,
  what: string,
  pinned: number | undefined,
  limit: number,
  load: (parts: number) => number,
): number {
  // Powers of two: the number changes seldom.
  let fitting = 1;
  while (load(fitting) > limit && fitting < MAX_PARTS) {
    fitting *= 2;
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

/** Rendezvous hashing: when a part is added, names move to it only, and never between the old ones. */
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
