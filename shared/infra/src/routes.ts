/** The routes of procedures, and their properties at an HTTP API. */
import type { HttpRoute, Procedure } from "./contract.js";

/** The path at which a procedure is called, other than by REST. */
export function pathOf({ name, http }: Pick<Procedure, "name" | "http">): string {
  return http?.path ?? `/trpc/${name}`;
}

/** One route of a function. */
export interface Route {
  /** `ANY /v1/orders/{id}`. */
  readonly key: string;
  readonly path: string;
}

/** The routes of a procedure. */
export interface ProcedureRoutes {
  /** The tRPC route, or the path of its own. */
  readonly own: readonly Route[];
  readonly rest: readonly Route[];
  /**
   * The methods of the path, for the one procedure that answers other methods, if it shares the path. After semicolons
   * follow those of more specific paths that overlap it, the most specific first:
   * `GET, HEAD;/v1/notes/touch GET, HEAD, POST`.
   */
  readonly methods: string | undefined;
}

/**
 * The routes of each procedure, by the procedure's name.
 *
 * A path has one route that takes every method: the function answers preflights and HEAD itself, and a wrong method
 * with 405 and `allow` in the form that callers read. Where procedures share a path, one of them does so: the one
 * for GET, or the first by its method; the others have a route for their method.
 *
 * A path that another one matches as well (`/v1/notes/latest` beside `/v1/notes/{id}`) takes no other methods: they
 * belong to the other path. So the method decides first and then the most specific path, as in
 * `shared/local/src/front/routes.rs`.
 */
export function routesOf(procedures: readonly Procedure[]): ReadonlyMap<string, ProcedureRoutes> {
  const shared = new Map<string, [method: string, owner: string][]>();
  for (const { name, http, rest } of procedures) {
    for (const route of [http, rest].filter((route) => route !== undefined)) {
      shared.set(route.path, [...(shared.get(route.path) ?? []), [route.method, name]]);
    }
  }
  for (const methods of shared.values()) {
    // As in `shared/local/src/front/routes.rs`.
    methods.sort(([one], [other]) => byMethod(one, other));
  }
  const paths = [...shared.keys()];
  const isCovered = coveredBy(paths);
  const owns = (name: string, { path }: HttpRoute): boolean => !isCovered(path) && shared.get(path)?.[0]?.[1] === name;
  const routesFor = (name: string, route: HttpRoute): Route[] => {
    const methods = owns(name, route) ? ["ANY"] : isCovered(route.path) && route.method === "GET" ? ["GET", "HEAD"] : [route.method];
    return methods.map((method) => ({ key: `${method} ${route.path}`, path: route.path }));
  };
  const methodsAt = (path: string): string => {
    const methods = new Set(paths.filter((other) => fits(other, path)).flatMap((other) => shared.get(other)!.map(([method]) => method)));
    return [...methods].sort(byMethod).map((method) => (method === "GET" ? "GET, HEAD" : method)).join(", ");
  };
  const methodsOf = (name: string, route: HttpRoute): string | undefined => {
    const others = paths.filter((path) => path !== route.path && fits(route.path, path)).sort(bySpecificity);
    const isAlone = others.length === 0 && shared.get(route.path)?.length === 1;
    return owns(name, route) && !isAlone ? [methodsAt(route.path), ...others.map((path) => `${path} ${methodsAt(path)}`)].join(";") : undefined;
  };
  return new Map(
    procedures.map(({ name, http, rest }) => {
      const route = http ?? rest;
      return [
        name,
        {
          own: http === undefined ? [{ key: `ANY ${pathOf({ name, http })}`, path: pathOf({ name, http }) }] : routesFor(name, http),
          rest: rest === undefined ? [] : routesFor(name, rest),
          methods: route === undefined ? undefined : methodsOf(name, route),
        },
      ];
    }),
  );
}

/** Whether another of these paths matches all addresses of a path as well. */
export function coveredBy(paths: readonly string[]): (path: string) => boolean {
  const covered = new Set(paths.filter((path) => paths.some((other) => other !== path && fits(other, path))));
  return (path) => covered.has(path);
}

/** Whether all addresses of a path match a more general one. */
function fits(general: string, path: string): boolean {
  const [known, given] = [general.split("/"), path.split("/")];
  return known.length === given.length && known.every((segment, at) => segment.startsWith("{") || segment === given[at]);
}

/** GET comes first; it also answers other methods. */
function byMethod(one: string, other: string): number {
  return Number(other === "GET") - Number(one === "GET") || (one < other ? -1 : 1);
}

/** A path with a fixed segment comes before one with a parameter there. */
function bySpecificity(one: string, other: string): number {
  const names = (path: string): string => path.split("/").map((segment) => (segment.startsWith("{") ? "1" : "0")).join("");
  return names(one) < names(other) ? -1 : names(one) > names(other) ? 1 : one < other ? -1 : 1;
}

export interface ApiHandle {
  readonly apiId: string;
  /** The authorizer that checks for the front's header, if there is a front. */
  readonly authorizerId: string | undefined;
}

/** The properties of a route that admit callers. The function itself authenticates them. */
export function routeAuthorization(
  api: ApiHandle,
): { authorizationType: "NONE" } | { authorizationType: "CUSTOM"; authorizerId: string } {
  return api.authorizerId === undefined
    ? { authorizationType: "NONE" }
    : { authorizationType: "CUSTOM", authorizerId: api.authorizerId };
}
