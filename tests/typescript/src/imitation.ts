// A small server that speaks the wire of sign-in as the service does, and whose answers a test can spoil: what must
// happen when an answer is lost, or a session ends in the middle, cannot be had from a service that works.

import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The password that everybody has here. */
export const PASSWORD = "seven grey herons wade";

/** What becomes of a call: it never arrives, its answer is lost or late, or it is refused with this status. */
export type Mishap = "never arrives" | "answer is lost" | { late: Promise<void> } | number | undefined;

type Session = {
  email: string;
  /** For a session of tokens: those that count, and the refresh token that they followed. */
  access: string;
  refresh: string;
  before: string | undefined;
};
type Call = { procedure: string; input: unknown; request: IncomingMessage };
type Answer = { status: number; body: unknown };

const COOKIE = "onefold-local";

export class Imitation {
  /** Every call that arrived: the procedure, and how the caller showed who they are. */
  readonly calls: { procedure: string; url: string; by: "token" | "cookie" | "nobody"; csrf: boolean }[] = [];
  /** How many requests have been answered. */
  answered = 0;
  /** Says what becomes of a call. */
  mishap: (procedure: string) => Mishap | Promise<Mishap> = () => undefined;
  /** How long an access token says that it lives. */
  expiresInS = 900;
  /** Whether cookies are to be renewed. */
  asksForRenewal = false;
  /** Whether everybody signed in too long ago for `oauth.unlink`. */
  isOld = false;
  /** Whether every call wants another CSRF token than the one it has. */
  isNeverContent = false;

  readonly #tokens = new Set<Session>();
  readonly #cookies = new Map<string, string>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/trpc`;
  }

  /** How often a procedure was called. */
  count(procedure: string): number {
    return this.calls.filter((call) => call.procedure === procedure).length;
  }

  /** No access token counts any more. */
  expire(): void {
    for (const session of this.#tokens) session.access = randomUUID();
  }

  /** Everybody is signed out. */
  end(): void {
    this.#tokens.clear();
    this.#cookies.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin } = request.headers;
    if (origin !== undefined) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-allow-credentials", "true");
      response.setHeader("access-control-expose-headers", "x-request-id, x-csrf-token, onefold-renew, retry-after");
    }
    if (request.method === "OPTIONS") {
      response.setHeader("access-control-allow-headers", "authorization, content-type, trpc-accept, x-csrf-token");
      response.writeHead(204).end();
      return;
    }
    const url = new URL(request.url ?? "/", "http://service");
    const names = decodeURIComponent(url.pathname.slice("/trpc/".length)).split(",");
    const isBatch = url.searchParams.has("batch");
    const body = await text(request);
    const input = JSON.parse((request.method === "GET" ? url.searchParams.get("input") : body) || "null") as unknown;
    const answers: Answer[] = [];
    for (const [index, procedure] of names.entries()) {
      const by = request.headers.authorization !== undefined ? "token" : this.#cookie(request) ? "cookie" : "nobody";
      const csrf = request.headers["x-csrf-token"] !== undefined;
      this.calls.push({ procedure, url: request.url ?? "", by, csrf });
      const own = isBatch ? (input as Record<string, unknown> | null)?.[index] : input;
      const mishap = await this.mishap(procedure);
      if (mishap === "never arrives") return void request.socket.destroy();
      const call = { procedure, input: own, request };
      answers.push(this.#answer(call, response, typeof mishap === "number" ? mishap : undefined));
      if (mishap === "answer is lost") return void request.socket.destroy();
      if (typeof mishap === "object") await mishap.late;
    }
    response.once("finish", () => (this.answered += 1));
    if (request.headers["trpc-accept"] === "application/jsonl") {
      const head = Object.fromEntries(answers.map((_, place) => [place, [[0], [null, 0, place]]]));
      const lines = answers.map(({ body }, place) => [place, 0, [[body]]]);
      response.writeHead(200, { "content-type": "application/jsonl" });
      response.end([head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(""));
      return;
    }
    const statuses = new Set(answers.map(({ status }) => status));
    response.writeHead(statuses.size === 1 ? (answers[0]?.status ?? 200) : 207, { "content-type": "application/json" });
    response.end(JSON.stringify(isBatch ? answers.map((answer) => answer.body) : answers[0]?.body));
  }

  #answer(call: Call, response: ServerResponse, refused: number | undefined): Answer {
    const { procedure, input, request } = call;
    const cookie = request.headers.authorization === undefined ? this.#cookie(request) : undefined;
    // A sign-in does not look at who is calling.
    const live = cookie !== undefined && this.#cookies.has(cookie) && procedure !== "auth.login" ? cookie : undefined;
    try {
      if (live !== undefined && request.method === "POST") {
        const isContent = request.headers["x-csrf-token"] === csrf(live) && !this.isNeverContent;
        if (!isContent) return refusal(403, call, "This call needs the header x-csrf-token.");
      }
      if (refused !== undefined) return refusal(refused, call);
      const set = (value: string | undefined) => {
        if (live !== undefined) this.#cookies.delete(live);
        const age = value === undefined ? "; Max-Age=0" : "";
        response.setHeader("set-cookie", `${COOKIE}=${value ?? ""}; Path=/; HttpOnly; SameSite=Lax${age}`);
      };
      switch (procedure) {
        case "auth.login":
          return this.#login(call, set);
        case "auth.refresh":
          return this.#refresh(call, live, set);
        case "auth.logout": {
          for (const session of this.#tokens) {
            if (session.refresh === field(input, "refreshToken")) this.#tokens.delete(session);
          }
          if (live !== undefined) set(undefined);
          return result(undefined);
        }
      }
      if (procedure === "health.ping") return result("pong");
      const { authorization } = request.headers;
      const session = [...this.#tokens].find(({ access }) => authorization === `Bearer ${access}`);
      const email = session?.email ?? (live === undefined ? undefined : this.#cookies.get(live));
      if (email === undefined) return refusal(401, call);
      if (procedure === "auth.reauthenticate") return this.#reauthenticate(call, email, session, set);
      if (procedure === "oauth.unlink" && this.isOld) return refusal(403, call, "too old", { type: "reauthenticate" });
      return result(procedure === "auth.me" ? me(email) : undefined);
    } finally {
      if (live !== undefined) {
        response.setHeader("x-csrf-token", this.isNeverContent ? randomUUID() : csrf(live));
        if (this.asksForRenewal) response.setHeader("onefold-renew", "1");
      }
    }
  }

  #login(call: Call, set: (cookie: string) => void): Answer {
    const email = String(field(call.input, "email"));
    if (field(call.input, "password") !== PASSWORD) return refusal(401, call, "wrong", { type: "wrongCredentials" });
    if (field(call.input, "keep") === "tokens") {
      const session = { email, access: randomUUID(), refresh: randomUUID(), before: undefined };
      this.#tokens.add(session);
      return result({ user: me(email), tokens: this.#wire(session) });
    }
    const cookie = randomBytes(32).toString("base64url");
    set(cookie);
    this.#cookies.set(cookie, email);
    return result({ user: me(email), tokens: null });
  }

  #refresh(call: Call, live: string | undefined, set: (cookie: string) => void): Answer {
    const presented = field(call.input, "refreshToken");
    const email = live === undefined ? undefined : this.#cookies.get(live);
    if (presented === undefined && email !== undefined) {
      const cookie = randomBytes(32).toString("base64url");
      set(cookie);
      this.#cookies.set(cookie, email);
      return result({ tokens: null });
    }
    for (const session of this.#tokens) {
      if (session.refresh === presented) {
        Object.assign(session, { access: randomUUID(), refresh: randomUUID(), before: presented });
      } else if (session.before !== presented) continue;
      return result({ tokens: this.#wire(session) });
    }
    return refusal(401, call, "ended", { type: "ended" });
  }

  #reauthenticate(call: Call, email: string, session: Session | undefined, set: (cookie: string) => void): Answer {
    if (field(call.input, "password") !== PASSWORD) return refusal(403, call, "wrong", { type: "wrongPassword" });
    this.isOld = false;
    if (session !== undefined) {
      Object.assign(session, { access: randomUUID(), refresh: randomUUID(), before: undefined });
      return result({ tokens: this.#wire(session) });
    }
    const cookie = randomBytes(32).toString("base64url");
    set(cookie);
    this.#cookies.set(cookie, email);
    return result({ tokens: null });
  }

  #wire({ access, refresh }: Session) {
    return { accessToken: access, refreshToken: refresh, expiresInS: this.expiresInS };
  }

  #cookie(request: IncomingMessage): string | undefined {
    return new RegExp(`${COOKIE}=([^;]+)`).exec(request.headers.cookie ?? "")?.[1];
  }
}

const me = (email: string) => ({ id: "01890a5d-ac96-774b-bcce-b302099a8057", email, name: "Ada", role: "viewer", isVerified: true, permissions: [] });

const csrf = (cookie: string) => createHmac("sha256", Buffer.from(cookie, "base64url")).update("csrf").digest("base64url");

const result = (data: unknown): Answer => ({ status: 200, body: { result: { data } } });

const CODES: Record<number, string> = { 400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 429: "TOO_MANY_REQUESTS", 503: "SERVICE_UNAVAILABLE" };

function refusal(status: number, { procedure: path }: Call, message = "no", failure?: unknown): Answer {
  const data = { code: CODES[status], httpStatus: status, path, requestId: "r1", failure };
  return { status, body: { error: { message, code: -32603, data } } };
}

const field = (input: unknown, name: string): unknown =>
  typeof input === "object" && input !== null ? (input as Record<string, unknown>)[name] : undefined;

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
