/** Under which routes procedures are, and what a route needs to know of its HTTP API. */
import type { Procedure } from "./contract.js";

/** Where a procedure is called. */
export function pathOf({ name, http }: Pick<Procedure, "name" | "http">): string {
  return http?.path ?? `/trpc/${name}`;
}

/**
 * The key of each procedure's route, by the procedure's name.
 *
 * A route takes every method: the function answers preflights and HEAD itself, and a wrong method with 405 and
 * `allow` in the form that callers read. Where procedures share a path, one of them does so: the one for
 * GET, or the first; the others have a route for their method.
 */
export function routeKeys(procedures: readonly Procedure[]): ReadonlyMap<string, string> {
  const owners = new Map<string, Procedure>();
  for (const procedure of procedures) {
    const path = pathOf(procedure);
    if (!owners.has(path) || procedure.http?.method === "GET") {
      owners.set(path, procedure);
    }
  }
  const keyOf = (procedure: Procedure): string => {
    const path = pathOf(procedure);
    const isOwner = owners.get(path) === procedure;
    return `${isOwner || procedure.http === undefined ? "ANY" : procedure.http.method} ${path}`;
  };
  return new Map(procedures.map((procedure) => [procedure.name, keyOf(procedure)]));
}

export interface ApiHandle {
  readonly apiId: string;
  /** Checks that a request came through the front, when there is one. */
  readonly authorizerId: string | undefined;
}

/** The properties of a route that admit callers. Who they are, the function finds out. */
export function routeAuthorization(
  api: ApiHandle,
): { authorizationType: "NONE" } | { authorizationType: "CUSTOM"; authorizerId: string } {
  return api.authorizerId === undefined
    ? { authorizationType: "NONE" }
    : { authorizationType: "CUSTOM", authorizerId: api.authorizerId };
}
