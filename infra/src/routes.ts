/** What a route needs to know of its HTTP API. */

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
