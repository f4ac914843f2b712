
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

/** Whoever is signed in. */
export type Session = {
  /** Makes calls as whoever is signed in, and as nobody otherwise. It has `withEnvelopes` already. */
  fetch: Fetch;
  /** `@SIGN_IN@`; `failureOf("@SIGN_IN@", error)` says why it failed. Answers who is signed in. */
  signIn(input: Omit<@SIGN_IN_TYPE@Input, "@KEEP@">): Promise<@SIGN_IN_TYPE@Output["@WHO@"]>;
  // if reauthenticate
  /**
   * `@REAUTHENTICATE@`: proves again who is signed in, for calls that `wantsReauthentication`. The session goes on with
   * another secret. `failureOf("@REAUTHENTICATE@", error)` says why it failed.
   */
  reauthenticate(password: string): Promise<void>;
  // end
  /** `@SIGN_OUT@`. When the service cannot be reached it fails; tokens are forgotten nevertheless. */
  signOut(): Promise<void>;
};

/**
 * Signs in, stays signed in, signs out:
 *
 * ```ts
 * const session = createSession({ url, onEnd: () => location.assign("/login") });
 * const client = createClient({ url, fetch: session.fetch });
 *
 * const user = await session.signIn({ email, password });
 * await client.@EXAMPLE@.query(); // as `user`, after a reload of the page as well
 * await session.signOut();
 * ```
 *
 * With a cookie it sends the CSRF token that the service wants and has the cookie renewed when it is time. With tokens,
 * `createSession({ url, keep: "tokens" })`, it renews the access token shortly before it expires or when it is refused,
 * once for all calls and all tabs, and repeats what was refused. `session.fetch` fits every link of the official client:
 * `httpLink({ url, fetch: session.fetch })`.
 */
export declare function createSession(options: SessionOptions): Session;
