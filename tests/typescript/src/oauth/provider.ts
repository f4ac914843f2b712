// An OpenID Connect provider for the tests: the certified software `oidc-provider` on this machine. Whoever is
// sent there is signed in as `person` without being asked, and `lies` bends what the provider says.

import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import * as oidc from "oidc-provider";

/** Somebody who has an account at the provider. */
export type Person = {
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
  readonly isVerified?: boolean;
};

export const VERIFIED: Person = { id: "p-1", name: "Ada", email: "ada@example.com", isVerified: true };
export const UNVERIFIED: Person = { id: "p-2", name: "Eve", email: "eve@example.com", isVerified: false };

/** What the provider says wrongly. A function changes what it is given. */
export type Lies = {
  /** The address to which the browser is sent back. */
  redirect?: (address: URL) => void;
  /** What the ID token says; it is signed again with the provider's key. */
  claims?: (claims: Record<string, unknown>) => void;
  /** The ID token as a whole, after `claims`. */
  idToken?: (token: string) => string;
  /** The answer of the UserInfo endpoint. */
  userInfo?: (said: Record<string, unknown>) => void;
};

export type Client = { readonly id: string; readonly secret: string };

export class TestProvider {
  /** Who is signed in from now on. */
  person: Person = VERIFIED;
  lies: Lies = {};
  readonly client: Client = { id: "onefold", secret: "a-secret-of-the-tests-that-is-long" };

  readonly #key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => {
    response.writeHead(503).end();
  };

  private constructor() {}

  /** Starts to listen. It knows no client yet: the service wants to know the provider's address first. */
  static async start(): Promise<TestProvider> {
    const provider = new TestProvider();
    await new Promise<void>((resolve) => provider.#server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  get issuer(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the provider does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Makes the service a client of the provider. */
  register(redirectUri: string): void {
    const provider = new oidc.Provider(this.issuer, this.#configuration(redirectUri));
    provider.use((context, next) => this.#bend(context as oidc.KoaContextWithOIDC, next));
    const answer = provider.callback();
    this.#answer = (request, response) => {
      // Nobody stays signed in: the next one who is sent here may be somebody else.
      const cookies = request.headers.cookie?.split("; ").filter((cookie) => !cookie.startsWith("_session"));
      request.headers.cookie = cookies?.join("; ");
      if (request.url?.startsWith("/person/") === true) void this.#signIn(provider, request, response);
      else void answer(request, response);
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #configuration(redirectUri: string): oidc.Configuration {
    return {
      clients: [{ client_id: this.client.id, client_secret: this.client.secret, redirect_uris: [redirectUri] }],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["only for tests"] },
      features: { devInteractions: { enabled: false } },
      findAccount: (_, id) => ({ accountId: id, claims: () => claimsOf(this.person, id) }),
      interactions: { url: (_, interaction) => `/person/${interaction.uid}` },
      jwks: { keys: [{ ...this.#key.privateKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" }] },
      loadExistingGrant: (context) => consent(context),
      pkce: { required: () => true },
      renderError: (context, said) => {
        context.type = "json";
        context.body = said;
      },
      ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    };
  }

  async #signIn(provider: oidc.Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await provider.interactionFinished(request, response, { login: { accountId: this.person.id } });
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  }

  /** After the provider has answered truthfully. */
  async #bend(context: oidc.KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    await next();
    const { redirect, claims, idToken, userInfo } = this.lies;
    const location: string = context.response.get("location");
    if (redirect !== undefined && /[?&](code|error)=/.test(location)) {
      const address = new URL(location);
      redirect(address);
      context.response.set("location", address.href);
    }
    const said = context.body as Record<string, unknown> | undefined;
    if (context.path === "/token" && typeof said?.["id_token"] === "string") {
      let token = said["id_token"];
      if (claims !== undefined) token = resigned(token, claims, this.#key.privateKey);
      if (idToken !== undefined) token = idToken(token);
      context.body = { ...said, id_token: token };
    }
    if (context.path === "/me" && said !== undefined) userInfo?.(said);
  }
}

function claimsOf(person: Person, id: string): oidc.AccountClaims {
  if (person.id !== id) return { sub: id };
  const { name, email, isVerified } = person;
  const of = email === undefined ? {} : { email, email_verified: isVerified ?? false };
  return { sub: id, ...of, ...(name === undefined ? {} : { name }) };
}

/** Everybody has agreed to everything. */
async function consent(context: oidc.KoaContextWithOIDC): Promise<oidc.Grant | undefined> {
  const { client, session, provider } = context.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid email profile");
  await grant.save();
  return grant;
}

const encode = (text: string) => Buffer.from(text).toString("base64url");
const decode = (part: string | undefined) =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString()) as Record<string, unknown>;

/** The same token with other claims, signed with RS256 by any key. */
export function resigned(token: string, change: (claims: Record<string, unknown>) => void, key: KeyObject): string {
  const [head, payload] = token.split(".");
  const claims = decode(payload);
  change(claims);
  const message = `${head}.${encode(JSON.stringify(claims))}`;
  return `${message}.${createSign("RSA-SHA256").update(message).sign(key, "base64url")}`;
}

/** The same token with the header of another algorithm and without a signature. */
export function unsigned(token: string, algorithm: string): string {
  const [head, payload] = token.split(".");
  return `${encode(JSON.stringify({ ...decode(head), alg: algorithm }))}.${payload}.`;
}
