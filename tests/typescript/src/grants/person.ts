// A person with a browser, as far as letting an application in takes one: it keeps its cookie, reads the page and
// sends its form.

import assert from "node:assert/strict";
import { createClient, type User, type UserId } from "@onefold/testbed";
import { mailedToken, type Service } from "../service.js";

const PASSWORD = "seven grey herons wade";

/** What came back for one request. Redirects are not followed. */
export type Visit = { readonly status: number; readonly location: URL | null; readonly headers: Headers; readonly text: string };

/** A form of a page. */
export type Form = { readonly action: URL; readonly fields: Map<string, string> };

/** One request, without a cookie. */
export async function visit(url: string | URL, request: RequestInit = {}): Promise<Visit> {
  const answer = await fetch(url, { ...request, redirect: "manual" });
  const location = answer.headers.get("location");
  const text = await answer.text();
  return { status: answer.status, location: location === null ? null : new URL(location, url), headers: answer.headers, text };
}

export class Person {
  private constructor(
    /** The address of the service's own pages. */
    readonly origin: string,
    readonly id: UserId,
    readonly email: string,
    private readonly cookie: string,
    private readonly trpc: string,
  ) {}

  /** Somebody who has registered, has a role, and is signed in in a browser. */
  static async register(service: Service, role: User["role"]): Promise<Person> {
    const email = `${crypto.randomUUID()}@example.com`;
    const client = createClient({ url: service.url, token: service.administrator });
    await client.auth.register.mutate({ email, name: "Grace <b>Hopper</b>", password: PASSWORD });
    await client.auth.verifyEmail.mutate({ token: await mailedToken(service, email), password: PASSWORD });
    const { user } = await client.auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
    await client.users.update.mutate({ id: user.id, role });
    const cookie = await Person.#signIn(service.url, email);
    return new Person(new URL(service.url).origin, user.id, email, cookie, service.url);
  }

  static async #signIn(trpc: string, email: string): Promise<string> {
    const answer = await fetch(`${trpc}/auth.login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password: PASSWORD }),
    });
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("onefold-local="));
    return cookie?.split(";")[0] ?? assert.fail(`nobody was signed in: ${await answer.text()}`);
  }

  /** The same person in another browser. */
  async elsewhere(): Promise<Person> {
    return new Person(this.origin, this.id, this.email, await Person.#signIn(this.trpc, this.email), this.trpc);
  }

  visit(url: string | URL, request: RequestInit = {}): Promise<Visit> {
    const headers = new Headers(request.headers);
    headers.set("cookie", this.cookie);
    return visit(url, { ...request, headers });
  }

  /** Calls a procedure as the service's own page would. */
  async call(procedure: string, input?: object): Promise<{ status: number; data: unknown }> {
    const query = input === undefined;
    const first = query ? undefined : await this.visit(`${this.trpc}/auth.me`);
    const headers: [string, string][] = [
      ["origin", this.origin],
      ["content-type", "application/json"],
      ["x-csrf-token", first?.headers.get("x-csrf-token") ?? ""],
    ];
    const request: RequestInit = query ? {} : { method: "POST", headers, body: JSON.stringify(input) };
    const { status, text } = await this.visit(`${this.trpc}/${procedure}`, request);
    return { status, data: (JSON.parse(text) as { result?: { data?: unknown } }).result?.data };
  }

  /** The form on the page that asks whether an application may come in. */
  async asked(url: URL): Promise<Form> {
    const { status, text } = await this.visit(url);
    assert.equal(status, 200, text);
    const action = /<form method="post" action="([^"]+)">/.exec(text)?.[1] ?? assert.fail(`there is no form: ${text}`);
    const hidden = text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
    const fields = new Map([...hidden].map(([, name = "", value = ""]) => [name, unescaped(value)]));
    return { action: new URL(action, url), fields };
  }

  /** Presses a button of the form. */
  press({ action, fields }: Form, decision: string, origin: string | null = this.origin): Promise<Visit> {
    const body = new URLSearchParams([...fields, ["decision", decision]]);
    return this.visit(action, { method: "POST", headers: origin === null ? {} : { origin }, body });
  }

  /** Lets an application in; answers where the browser is sent then. */
  async approve(url: URL): Promise<URL> {
    const { status, location, text } = await this.press(await this.asked(url), "approve");
    assert.equal(status, 303, text);
    return location ?? assert.fail("the browser is sent nowhere");
  }
}

function unescaped(text: string): string {
  const characters: { [name: string]: string } = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => characters[name] ?? "");
}
