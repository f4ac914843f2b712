// @onefold/client 0.1.0, as `cargo regen` put it here. Do not edit.

import type { ClientOptions, Fetch } from "./index.cjs";

/** Where tokens are kept: `localStorage`, `sessionStorage` or anything alike, which may answer later. */
export type TokenStorage = {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, text: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
};

/** What a session needs to know. */
export type SessionOptions = {
  /** Where the procedures are, as for `createClient`. */
  url: string;
  /**
   * Called once when the session has ended by itself: it expired, it was revoked, or another tab signed out. The calls
   * that noticed it fail with `UNAUTHORIZED`. Not called after `signOut`, nor when the service cannot be reached.
   */
  onEnd?: (() => void) | undefined;
  /** As for `createClient`. */
  pathSeparator?: ClientOptions["pathSeparator"];
  /** Another `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
} & (
  | {
      /** The session is a cookie of the browser, which no script can read. */
      keep?: "cookie" | undefined;
      storage?: undefined;
    }
  | {
      /** The session is a pair of tokens: outside browsers, or where the page and the service are different sites. */
      keep: "tokens";
      /**
       * Where the tokens are kept; in memory if left out, so that they end with the page. In `localStorage` they survive
       * it and all tabs share them, but every script of the page can read them.
       */
      storage?: TokenStorage | undefined;
    }
);

/** The procedures of a service by which people sign in, and their fields: `session` of its contract. */
export type SessionNames = {
  /** The procedure that signs in. */
  signIn: string;
  /** The field of its input that says how the session is kept. */
  keepField: string;
  /** The text in that field that asks for a cookie. */
  cookie: string;
  /** The text in that field that asks for tokens. */
  tokens: string;
  /** The field of its output that has who is signed in. */
  whoField: string;
  /** The field of the outputs of `signIn`, `refresh` and `reauthenticate` that has the tokens, or null. */
  tokensField: string;
  /** The field of the tokens that has the access token. */
  accessTokenField: string;
  /** The field that has the refresh token: of the tokens, and of the inputs of `refresh` and `signOut`. */
  refreshTokenField: string;
  /** The field of the tokens that says for how many seconds the access token is valid. */
  expiresInField: string;
  /** The procedure that renews a cookie, or gives the next tokens. */
  refresh: string;
  /** The failure of `refresh` that says that the session is over. */
  ended: string;
  /** The procedure that signs out. */
  signOut: string;
  /** The procedure by which a caller proves again who they are, if there is one. */
  reauthenticate: string | null;
  /** The field of the input of `reauthenticate` that takes the password. */
  passwordField: string;
};

/** Whoever is signed in. */
export type Session = {
  /** Makes calls as whoever is signed in, and as nobody otherwise. It has `withEnvelopes` already. */
  fetch: Fetch;
  /** Signs in. Answers who is signed in. */
  signIn(input: object): Promise<any>;
  /** Proves again who is signed in, for calls that `wantsReauthentication`; absent if the service has no such procedure. */
  reauthenticate?(password: string): Promise<void>;
  /** Signs out. When the service cannot be reached it fails; tokens are forgotten nevertheless. */
  signOut(): Promise<void>;
};

/**
 * Signs in, stays signed in, signs out.
 *
 * With a cookie it sends the CSRF token that the service wants and has the cookie renewed when it is time. With tokens,
 * it renews the access token shortly before it expires or when it is refused, once for all calls and all tabs, and
 * repeats what was refused. `fetch` fits every link of the official client.
 */
export declare function createSession(options: SessionOptions, names: SessionNames): Session;
