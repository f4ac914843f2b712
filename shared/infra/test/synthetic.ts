/** Contracts of any size, cast from the real one's procedures. */
import { type Contract, parseContract } from "../src/contract.js";
import { functionName, rawContract, type RawGateway } from "./support.js";

export interface Extras {
  /** Whether the procedures have REST routes: four share two paths. */
  readonly rest?: boolean;
  /** Whether there are gateways. */
  readonly gateways?: boolean;
}

/** So many procedures in each domain. */
export function synthetic(domains: Readonly<Record<string, number>>, { rest = false, gateways = false }: Extras = {}): Contract {
  const raw = rawContract();
  const molds = raw.procedures.filter((procedure) => procedure.grants.length > 0);
  const procedures = Object.entries(domains).flatMap(([domain, count]) =>
    Array.from({ length: count }, (_, at) => ({
      ...molds[at % molds.length]!,
      // A service of hundreds has few procedures by which somebody is let in.
      ...(molds[at % molds.length]!.kind === "mutation" ? { auth: { type: "signedIn" } } : {}),
      ...{ name: `${domain}.number${at}`, function: functionName(`${domain}.number${at}`), http: null, secrets: [], configs: [], mail: false, rest: rest ? restOf(domain, at) : null },
    })),
  );
  return parseContract({ ...raw, configs: {}, procedures, gateways: gateways ? gatewaysOf(procedures.map(({ name }) => name)) : [] });
}

function restOf(domain: string, at: number): string {
  const path = `/v1/${domain}/${Math.floor(at / 4)}`;
  return [`GET ${path}`, `POST ${path}`, `GET ${path}/{id}`, `PATCH ${path}/{id}`][at % 4]!;
}

/** Gateways that invoke these procedures, and one that invokes none. */
export function gatewaysOf(invokes: string[]): RawGateway[] {
  const mold = { methods: ["GET", "POST"], calls: true, invokes, memoryMb: 256, timeoutMs: 28_000 };
  return [
    { ...mold, name: "trpc", paths: ["/trpc/{proxy+}"] },
    { ...mold, name: "graphql", paths: ["/graphql"], memoryMb: 512 },
    { ...mold, name: "docs", paths: ["/docs", "/docs/{proxy+}", "/openapi.json"], methods: ["GET"], calls: false, invokes: [], memoryMb: 128, timeoutMs: 5_000 },
  ];
}
