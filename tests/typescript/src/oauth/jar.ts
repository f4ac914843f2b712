// A browser without pages: it keeps the cookies of each host, and follows redirects only when told to.

/** What came back for one request. */
export type Visit = {
  readonly status: number;
  /** Where it leads, if it is a redirect. */
  readonly location: URL | null;
  readonly headers: Headers;
  readonly text: string;
};

export class Jar {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** One request, without following anything. */
  async visit(address: string | URL, request: RequestInit = {}): Promise<Visit> {
    const url = new URL(address);
    const cookies = this.cookies(url);
    const headers = new Headers(request.headers);
    if (cookies.size > 0) headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const answer = await fetch(url, { ...request, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) keep(cookies, line);
    const location = answer.headers.get("location");
    const text = await answer.text();
    return { status: answer.status, location: location === null ? null : new URL(location, url), headers: answer.headers, text };
  }

  /** Follows redirects until one leads to `end` (an address's beginning); that one is given and not visited. */
  async follow(address: string | URL, end: string): Promise<URL> {
    let next = new URL(address);
    for (let steps = 0; steps < 10; steps += 1) {
      if (next.href.startsWith(end)) return next;
      const { status, location, text } = await this.visit(next);
      if (location === null) throw new Error(`${next.origin}${next.pathname} answers ${status}: ${text}`);
      next = location;
    }
    throw new Error(`the way to ${end} has no end`);
  }

  /** The cookies of an address's host, by name. */
  cookies(address: string | URL): Map<string, string> {
    const { host } = new URL(address);
    const known = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, known);
    return known;
  }
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const at = pair.indexOf("=");
  const name = pair.slice(0, at);
  const isOver = attributes.some((attribute) => {
    const [key = "", value = ""] = attribute.toLowerCase().split("=");
    return (key === "max-age" && Number(value) <= 0) || (key === "expires" && Date.parse(value) <= Date.now());
  });
  if (isOver) cookies.delete(name);
  else cookies.set(name, pair.slice(at + 1));
}
