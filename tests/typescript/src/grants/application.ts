// A third party's application, written with oauth4webapi as its author would: it discovers the service, sends the
// browser there, and checks whatever comes back.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { createClient, type GrantsClientsCreateInput } from "@onefold/testbed";
import type { Service } from "../service.js";
import type { Person } from "./person.js";

/** The service under test has no TLS. */
export const LOCAL = { [oauth.allowInsecureRequests]: true } as const;

/** Where browsers are sent back to. Nothing answers there: the test reads the address. */
export const CALLBACK = "https://reader.example/callback?from=onefold";

/** One attempt to be let in. */
export type Attempt = { readonly url: URL; readonly state: string; readonly verifier: string; readonly redirectUri: string };

type Changes = { [parameter: string]: string | undefined };

export class Application {
  private constructor(
    readonly server: oauth.AuthorizationServer,
    readonly client: oauth.Client,
    readonly auth: oauth.ClientAuth,
    readonly secret: string | null,
    private readonly trpc: string,
  ) {}

  /** Has an administrator register an application. */
  static async register(service: Service, input: Partial<GrantsClientsCreateInput> = {}): Promise<Application> {
    const administrator = createClient({ url: service.url, token: service.administrator });
    const { client, secret } = await administrator.grants.clientsCreate.mutate({
      name: "Reader & <i>co</i>",
      kind: "confidential",
      redirectUris: [CALLBACK],
      scopes: ["posts:read", "posts:write"],
      ...input,
    });
    const auth = secret === null ? oauth.None() : oauth.ClientSecretBasic(secret);
    const server = await discover(service, "oauth2");
    return new Application(server, { client_id: client.id }, auth, secret, service.url);
  }

  /** The address to which the application sends the browser. A change to undefined leaves a parameter out. */
  async attempt(scope: string, changes: Changes = {}): Promise<Attempt> {
    const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
    const parameters: Changes = {
      client_id: this.client.client_id,
      redirect_uri: CALLBACK,
      response_type: "code",
      scope,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...changes,
    };
    const url = new URL(this.server.authorization_endpoint ?? assert.fail("no authorization_endpoint"));
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
    return { url, state, verifier, redirectUri: parameters["redirect_uri"] ?? CALLBACK };
  }

  /** Redeems what the browser came back with. */
  async redeem({ state, verifier, redirectUri }: Attempt, location: URL): Promise<oauth.TokenEndpointResponse> {
    const { server, client, auth } = this;
    const answer = oauth.validateAuthResponse(server, client, location, state);
    const response = await oauth.authorizationCodeGrantRequest(server, client, auth, answer, redirectUri, verifier, LOCAL);
    return oauth.processAuthorizationCodeResponse(server, client, response);
  }

  /** From the link to the tokens. */
  async letInBy(person: Person, scope: string): Promise<oauth.TokenEndpointResponse> {
    const attempt = await this.attempt(scope);
    return this.redeem(attempt, await person.approve(attempt.url));
  }

  async refresh(token: string | undefined, scope?: string): Promise<oauth.TokenEndpointResponse> {
    const { server, client, auth } = this;
    const more = scope === undefined ? LOCAL : { ...LOCAL, additionalParameters: { scope } };
    const response = await oauth.refreshTokenGrantRequest(server, client, auth, token ?? assert.fail("no token"), more);
    return oauth.processRefreshTokenResponse(server, client, response);
  }

  async forItself(scope?: string): Promise<oauth.TokenEndpointResponse> {
    const { server, client, auth } = this;
    const response = await oauth.clientCredentialsGrantRequest(server, client, auth, scope === undefined ? {} : { scope }, LOCAL);
    return oauth.processClientCredentialsResponse(server, client, response);
  }

  async introspect(token: string | undefined): Promise<oauth.IntrospectionResponse> {
    const { server, client, auth } = this;
    const response = await oauth.introspectionRequest(server, client, auth, token ?? assert.fail("no token"), LOCAL);
    return oauth.processIntrospectionResponse(server, client, response);
  }

  async revoke(token: string | undefined): Promise<void> {
    const { server, client, auth } = this;
    const response = await oauth.revocationRequest(server, client, auth, token ?? assert.fail("no token"), LOCAL);
    await oauth.processRevocationResponse(response);
  }

  /** A form to one of the service's endpoints, as no library would send it. */
  async post(endpoint: "token" | "revoke" | "introspect", fields: string[][], headers: HeadersInit = {}) {
    const url = new URL(`/oauth/${endpoint}`, this.trpc);
    const answer = await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) });
    const text = await answer.text();
    const said = (text === "" ? {} : JSON.parse(text)) as { error?: string; [name: string]: unknown };
    return { status: answer.status, headers: answer.headers, said };
  }

  /** The service's procedures, called with a token. */
  calling(token: string) {
    return createClient({ url: this.trpc, token });
  }
}

export async function discover(service: Service, algorithm: "oauth2" | "oidc"): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(new URL(service.url).origin);
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...LOCAL });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** The error with which the service refused. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(() => assert.fail("it was not refused"), (error: unknown) => error);
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) return error.error;
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    assert.match(error.response.headers.get("www-authenticate") ?? "", /^Basic realm="/);
    return ((await error.response.json()) as { error: string }).error;
  }
  throw error;
}
