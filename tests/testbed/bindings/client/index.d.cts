// @onefold/client 0.1.0, as `cargo regen` put it here. Do not edit.

import type { TRPCClient } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";

/** How to reach a service. */
export type ClientOptions = {
  /** Where the procedures are, such as `http://127.0.0.1:9000/trpc`. */
  url: string;
  /** The caller's token, or a function that gives it for each call. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** What stands between the words of a procedure's name in the address: `-` under `cargo lambda watch` (`@trpc/client` 11.25 or newer). */
  pathSeparator?: "." | "_" | "~" | "-" | undefined;
  /**
   * Calls that are made at the same time travel as one request, up to 50 of them. Each fails or succeeds by itself.
   * Not with a `pathSeparator`.
   */
  batch?: boolean | undefined;
  /** Another `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
};

/** The official client, set up for a service. It has `withEnvelopes` already. */
export declare function createClient<Router extends AnyTRPCRouter>(options: ClientOptions): TRPCClient<Router>;

/** A `fetch`, as the links of the official client take it. */
export type Fetch = (
  input: Parameters<typeof globalThis.fetch>[0],
  init?: Omit<RequestInit, "signal"> & { signal?: AbortSignal | null | undefined },
) => Promise<Response>;

/**
 * A `fetch` for the links of the official client that reads what stands before the service as well. A gateway refuses in
 * a form of its own what it does not let through (401, 403, 413, 429) and what got no answer (500 to 504); with this,
 * `error.data.code` says it like every other error. Answers of the service pass as they are.
 */
export declare function withEnvelopes(fetch?: typeof globalThis.fetch): Fetch;

/** What is wrong with one field of an input; `path` is empty for the input as a whole. */
export type FieldFault = { path: string; message: string };

/** The failure of a procedure, if that is what an error is. Its type is the service's. */
export declare function failureOf(procedure: string, error: unknown): any;

/**
 * Whether a call failed because the caller signed in too long ago for it: to prove again who they are, and to make the
 * call once more, is all that it takes.
 */
export declare function wantsReauthentication(error: unknown): boolean;

/** What a text of JSON says; `undefined` if it is none. */
export declare function parsed(text: string): any;
