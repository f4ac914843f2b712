// A client of the REST routes that knows nothing but the types of the OpenAPI document.

import type { paths } from "./openapi.js";

type Method = "get" | "post" | "put" | "patch" | "delete";
/** The paths that have a method. */
type PathOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P][M];

type Parameters<O> = O extends { parameters: infer All } ? All : never;
type Part<O, K extends string> = Parameters<O> extends { [_ in K]?: infer Given } ? NonNullable<Given> : never;
type Body<O> = O extends { requestBody?: infer Given } ? (NonNullable<Given> extends { content: infer Content } ? Content[keyof Content] : never) : never;

/** What a call takes: each part only where the document has it. */
export type Call<O> = {
  path?: Part<O, "path">;
  query?: Part<O, "query">;
  headers?: Record<string, string>;
  body?: Body<O>;
};

type Content<R> = R extends { content: infer C } ? C[keyof C] : undefined;
/** The answers that the document knows, each with its status. */
export type Answer<O> = O extends { responses: infer All }
  ? { [Status in keyof All]: { status: Status; body: Content<All[Status]>; headers: Headers } }[keyof All]
  : never;

/** Writes a query as the document's parameters say: a list is a repeated name. */
function search(query: object): string {
  const pairs = Object.entries(query).flatMap(([name, value]: [string, unknown]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, String(one)]),
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
}

/** A client of a service. */
export function client(url: string, token?: string) {
  return async function call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    { path: names = {} as never, query, headers = {}, body }: Call<Operation<P, M>> = {},
  ): Promise<Answer<Operation<P, M>>> {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent((names as Record<string, string>)[name] ?? ""));
    const answer = await fetch(`${url}${filled}${search(query ?? {})}`, {
      method: method.toUpperCase(),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
    } as Answer<Operation<P, M>>;
  };
}
