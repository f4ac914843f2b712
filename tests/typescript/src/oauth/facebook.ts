// What Facebook's login and its Graph API answer, as far as the service asks. Whoever is sent there is signed in as
// `person`; what does not hold is answered with 400.

import { createHash, createHmac, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { type Person, VERIFIED } from "./provider.js";

export class TestFacebook {
  person: Person = VERIFIED;
  readonly client = { id: "app-7", secret: "another-secret-of-the-tests" };

  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #codes = new Map<string, { challenge: string | null; redirect: string | null; person: Person }>();
  readonly #tokens = new Map<string, Person>();

  static async start(): Promise<TestFacebook> {
    const facebook = new TestFacebook();
    await new Promise<void>((resolve) => facebook.#server.listen(0, "127.0.0.1", resolve));
    return facebook;
  }

  get origin(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("Facebook does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    if (url.pathname === "/dialog/oauth") return this.#dialog(url.searchParams, response);
    if (url.pathname === "/me") return this.#me(url.searchParams, request, response);
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    this.#exchange(new URLSearchParams(Buffer.concat(chunks).toString()), response);
  }

  #dialog(asked: URLSearchParams, response: ServerResponse): void {
    const back = new URL(asked.get("redirect_uri") ?? "");
    const code = randomUUID();
    const [challenge, redirect] = [asked.get("code_challenge"), asked.get("redirect_uri")];
    this.#codes.set(code, { challenge, redirect, person: this.person });
    back.searchParams.set("code", code);
    back.searchParams.set("state", asked.get("state") ?? "");
    response.writeHead(302, { location: back.href }).end();
  }

  #exchange(form: URLSearchParams, response: ServerResponse): void {
    const code = this.#codes.get(form.get("code") ?? "");
    const verifier = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const isRight =
      form.get("client_id") === this.client.id &&
      form.get("client_secret") === this.client.secret &&
      form.get("redirect_uri") === code?.redirect &&
      verifier === code?.challenge;
    this.#codes.delete(form.get("code") ?? "");
    if (!isRight || code === undefined) return json(response, 400, { error: { type: "OAuthException", code: 100 } });
    const token = randomUUID();
    this.#tokens.set(token, code.person);
    json(response, 200, { access_token: token, token_type: "bearer", expires_in: 5_183_944 });
  }

  #me(asked: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    const person = this.#tokens.get(token);
    const proof = createHmac("sha256", this.client.secret).update(token).digest("hex");
    if (person === undefined || asked.get("appsecret_proof") !== proof) return json(response, 400, { error: {} });
    json(response, 200, { id: person.id, name: person.name, email: person.email });
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
