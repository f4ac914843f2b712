// A browser without pages: it keeps cookies for each host and follows redirects only when told to.

/** What came back for one request. */
export type Visit = { readonly status: number; readonly address: URL; readonly location: URL | null; readonly text: string };

export class Jar {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** One request, without following anything. */
  async visit(address: string | URL, headers: Record<string, string> = {}): Promise<Visit> {
    const url = new URL(address);
    const cookies = this.cookies(url.host);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = cookie === "" ? headers : { cookie, ...headers };
    const answer = await fetch(url, { headers: sent, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) keep(cookies, line);
    const location = answer.headers.get("location");
    const leads = location === null ? null : new URL(location, url);
    return { status: answer.status, address: url, location: leads, text: await answer.text() };
  }

  /** Follows redirects until one leads to `end` (an address's beginning); that one is given and not visited. */
  async follow(address: string | URL, end: string): Promise<URL> {
    let next = new URL(address);
    for (let steps = 0; steps < 10; steps += 1) {
      if (next.href.startsWith(end)) return next;
      const visit = await this.visit(next);
      if (visit.location === null) throw new Error(`${next.origin}${next.pathname} answers ${visit.status}: ${visit.text}`);
      next = visit.location;
    }
    throw new Error(`the way to ${end} has no end`);
  }

  /** The cookies of one host, by name. */
  cookies(host: string): Map<string, string> {
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
