// The service with its providers, and people with browsers.

import assert from "node:assert/strict";

import { type Service, startService } from "../service.js";
import { TestFacebook } from "./facebook.js";
import { Jar } from "./jar.js";
import { type Person, TestProvider } from "./provider.js";

/** What `auth.me` answers. */
export type Me = { id: string; email: string; name: string; isVerified: boolean; role: string; permissions: string[] };

/** How a call ended. */
export type Outcome = { status: number; data: unknown; code: string | undefined; failure: string | undefined };

let people = 0;

/** Somebody whom nobody has seen before. */
export function somebody(isVerified: boolean): Person {
  people += 1;
  return { id: `person-${people}`, name: `Person ${people}`, email: `person-${people}@example.com`, isVerified };
}

export class TestServer {
  private constructor(
    readonly service: Service,
    /** Where the service is. */
    readonly origin: string,
    readonly acme: TestProvider,
    readonly other: TestProvider,
    readonly facebook: TestFacebook,
  ) {}

  /** Starts all of it. The first person is there already, so that the others are like any other. */
  static async open(): Promise<TestServer> {
    const [acme, other, facebook] = [await TestProvider.start(), await TestProvider.start(), await TestFacebook.start()];
    const openid = (id: string, { issuer, client }: TestProvider) => ({
      id,
      issuer,
      clientId: client.id,
      clientSecret: client.secret,
    });
    const service = await startService({
      "identity-providers": [
        { ...openid("acme", acme), label: "Acme" },
        openid("other", other),
        {
          id: "facebook",
          clientId: facebook.client.id,
          clientSecret: facebook.client.secret,
          authorizationEndpoint: `${facebook.origin}/dialog/oauth`,
          tokenEndpoint: `${facebook.origin}/oauth/access_token`,
          userinfoEndpoint: `${facebook.origin}/me`,
        },
      ],
    });
    const { origin } = new URL(service.url);
    acme.register(`${origin}/oauth/callback/acme`);
    other.register(`${origin}/oauth/callback/other`);
    return new TestServer(service, origin, acme, other, facebook);
  }

  async close(): Promise<void> {
    await this.service.stop();
    for (const provider of [this.acme, this.other, this.facebook]) await provider.stop();
  }

  /** What an administrator does. */
  async administer(procedure: string, input: unknown): Promise<Outcome> {
    return new Browser(this).call(procedure, input, { authorization: `Bearer ${this.service.administrator}` });
  }

  /** Makes a user with this person's address. */
  async user(person: Person, isVerified: boolean): Promise<string> {
    const { email, name } = person;
    const made = (await this.administer("users.create", { email, name })).data as { id: string };
    const changed = await this.administer("users.update", { id: made.id, isVerified });
    assert.equal(changed.status, 200);
    return made.id;
  }
}

/** One person's browser. */
export class Browser extends Jar {
  /** The token against cross-site requests, of the last answer. */
  #csrf = "";

  constructor(readonly server: TestServer) {
    super();
  }

  /** From the page's button to the provider's redirect back, which is not visited yet. */
  async to(provider: "acme" | "other" | "facebook", person: Person, returnTo = "/welcome"): Promise<URL> {
    this.server[provider].person = person;
    const { origin } = this.server;
    const start = `${origin}/oauth/start?provider=${provider}&return_to=${encodeURIComponent(returnTo)}`;
    return this.follow(start, `${origin}/oauth/callback/`);
  }

  /** Visits the callback: the path and the fragment of the page to which it leads. */
  async back(callback: URL | string): Promise<string> {
    const { status, location, text } = await this.visit(callback);
    assert.ok(status === 303 && location !== null, `${status}: ${text}`);
    assert.equal(location.origin, this.server.origin);
    return location.pathname + location.search + location.hash;
  }

  /** A whole sign-in. */
  async signIn(provider: "acme" | "other" | "facebook", person: Person): Promise<string> {
    return this.back(await this.to(provider, person));
  }

  /** A whole linking, of somebody who is signed in. */
  async link(provider: "acme" | "other" | "facebook", person: Person): Promise<string> {
    this.server[provider].person = person;
    const { data, status } = await this.call("oauth.link", { provider, returnTo: "/profile" });
    assert.equal(status, 200);
    return this.back(await this.follow((data as { url: string }).url, `${this.server.origin}/oauth/callback/`));
  }

  /** Proves again who is signed in: to the provider, as whom it knows there, and back. */
  async reauthenticate(provider: "acme" | "other", person: Person): Promise<string> {
    this.server[provider].person = person;
    const { data, status } = await this.call("oauth.reauthenticate", { provider, returnTo: "/profile" });
    assert.equal(status, 200);
    return this.back(await this.follow((data as { url: string }).url, `${this.server.origin}/oauth/callback/`));
  }

  /** Another browser with all cookies of this one: somebody stole them. */
  stolen(): Browser {
    const thief = new Browser(this.server);
    for (const [name, value] of this.cookies(this.server.origin)) thief.cookies(this.server.origin).set(name, value);
    return thief;
  }

  /** The device that asks. */
  async device(): Promise<{ device: string; authenticatedAt: string | null }> {
    const { items } = (await this.call("sessions.list")).data as {
      items: { device: string; current: boolean; authenticatedAt: string | null }[];
    };
    const own = items.find(({ current }) => current) ?? assert.fail("nobody is signed in here");
    return { device: own.device, authenticatedAt: own.authenticatedAt };
  }

  /** Calls a procedure as a page of the service does. */
  async call(procedure: string, input?: unknown, headers: Record<string, string> = {}): Promise<Outcome> {
    const isQuery = ["auth.me", "oauth.identities", "oauth.providers", "sessions.list", "audit.list", "users.list"].includes(procedure);
    const query = isQuery && input !== undefined ? `?input=${encodeURIComponent(JSON.stringify(input))}` : "";
    const send = () =>
      this.visit(`${this.server.service.url}/${procedure}${query}`, {
        method: isQuery ? "GET" : "POST",
        headers: { origin: this.server.origin, "content-type": "application/json", "x-csrf-token": this.#csrf, ...headers },
        ...(isQuery || input === undefined ? {} : { body: JSON.stringify(input) }),
      });
    let visit = await send();
    const token = visit.headers.get("x-csrf-token");
    if (token !== null && token !== this.#csrf) {
      this.#csrf = token;
      // A refusal says what was missing.
      if (visit.status === 403) visit = await send();
    }
    const answer = JSON.parse(visit.text) as {
      result?: { data?: unknown };
      error?: { data: { code: string; failure?: { type: string } } };
    };
    const { code, failure } = answer.error?.data ?? {};
    return { status: visit.status, data: answer.result?.data, code, failure: failure?.type };
  }

  /** Who is signed in here. */
  async me(): Promise<Me | undefined> {
    return (await this.call("auth.me")).data as Me | undefined;
  }

  /** The providers by which the person signs in. */
  async linked(): Promise<string[]> {
    const { items } = (await this.call("oauth.identities")).data as { items: { provider: string }[] };
    return items.map((item) => item.provider);
  }
}
