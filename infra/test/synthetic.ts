/** Contracts of any size, cast from the real one's procedures. */
import { type Contract, parseContract } from "../src/contract.js";
import { rawContract } from "./support.js";

/** So many procedures in each domain. */
export function synthetic(domains: Readonly<Record<string, number>>): Contract {
  const raw = rawContract();
  const molds = raw.procedures.filter((procedure) => procedure.grants.length > 0);
  const procedures = Object.entries(domains).flatMap(([domain, count]) =>
    Array.from({ length: count }, (_, at) => ({
      ...molds[at % molds.length]!,
      ...{ name: `${domain}.number${at}`, http: null, secrets: [], mail: false },
    })),
  );
  return parseContract({ ...raw, procedures });
}
