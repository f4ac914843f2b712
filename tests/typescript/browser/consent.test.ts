// A third party's application in a real browser: the service's own pages ask the person to sign in and whether the
// application may come in, and send the browser back. What a page of another site tries meanwhile leads nowhere.

import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { createClient } from "@onefold/testbed";
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { mailedToken, startService, type Service } from "../src/service.js";
import { startBrowser, watchedPage } from "./browser.js";

let service: Service;
let browser: Browser;
let application: { url: string; url6: string | null; id: string; stop: () => void };
let context: BrowserContext;
let page: Page;
/** What the browser complained about. */
let complaints: string[];

before(async () => {
  delete process.env["ONEFOLD_APP_URL"];
  [service, browser] = await Promise.all([startService(), startBrowser()]);
  application = await startApplication();
  // Not the first to come, whoever registers is a guest.
  await administrator().users.create.mutate({ email: "root@example.com", name: "Root", role: "administrator" });
});
after(async () => {
  await browser?.close();
  application?.stop();
  await service?.stop();
});
beforeEach(async () => {
  ({ context, page, complaints } = await watchedPage(browser));
});
afterEach(() => context.close());

const administrator = () => createClient({ url: service.url, token: service.administrator });

/** Where a server listens; null where this machine has no such address. */
async function listen(server: Server, host: string): Promise<string | null> {
  const listening = new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(0, host, () => resolve(true));
  });
  if (!(await listening)) return null;
  const { family, address, port } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/** The pages of an application: one to come back to, which goes on to another, and whatever a test puts elsewhere. */
async function startApplication() {
  const answer: RequestListener = (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (pathname === "/callback") response.writeHead(302, { location: `/welcome${search}` });
    response.end(`<!doctype html><title>${pathname}</title>${decodeURIComponent(pathname === "/page" ? search.slice(1) : "")}`);
  };
  const servers = [createServer(answer), createServer(answer)] as const;
  const url = (await listen(servers[0], "127.0.0.1")) ?? assert.fail("no 127.0.0.1");
  const url6 = await listen(servers[1], "::1");
  const { client } = await administrator().grants.clientsCreate.mutate({
    name: "Reader",
    kind: "public",
    redirectUris: [`${url}/callback`, "http://[::1]/callback"],
    scopes: ["posts:read"],
  });
  const stop = () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  };
  return { url, url6, id: client.id, stop };
}

/** The link of the application, and what it redeems the code with. */
function asking(callback = `${application.url}/callback`) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL("/oauth/authorize", service.url);
  url.search = new URLSearchParams({
    client_id: application.id,
    redirect_uri: callback,
    response_type: "code",
    scope: "posts:read",
    state: randomUUID(),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  }).toString();
  return { url, verifier };
}

/** Somebody with an account. */
async function registered() {
  const [email, password] = [`${randomUUID()}@example.com`, randomUUID()];
  await createClient({ url: service.url }).auth.register.mutate({ email, name: "Ada", password });
  await administrator().auth.verifyEmail.mutate({ token: await mailedToken(service, email), password });
  const { items } = await administrator().users.list.query({ limit: 100 });
  const { id } = items.find((user) => user.email === email) ?? assert.fail("nobody has registered");
  await administrator().users.update.mutate({ id, role: "employee" });
  return { email, password, id };
}

/** Signs in on the service's own page, as whoever was sent there. */
async function signIn({ email, password }: { email: string; password: string }, url: URL): Promise<void> {
  await page.goto(url.href);
  await page.type("[name=email]", email);
  await page.type("[name=password]", password);
  await Promise.all([page.waitForSelector("[name=decision]"), page.click("button")]);
}

/** Presses a button and waits where that leads. */
async function decide(value: "approve" | "deny"): Promise<URL> {
  await Promise.all([page.waitForNavigation(), page.click(`[value=${value}]`)]);
  return new URL(page.url());
}

test("a person signs in, reads what is asked, says yes, and is back where the application wants", async () => {
  const person = await registered();
  const { url, verifier } = asking();
  await page.goto(url.href);
  await page.type("[name=email]", person.email);
  await page.type("[name=password]", "another password");
  await page.click("button");
  await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent !== "");
  await signIn(person, url);
  const text = await page.$eval("main", (main) => main.textContent ?? "");
  for (const part of ["Reader", person.email, "Fetch one post; List posts, page by page"]) assert.ok(text.includes(part), text);

  const back = await decide("approve");
  assert.deepEqual([back.origin, back.pathname], [application.url, "/welcome"]);
  assert.equal(back.searchParams.get("state"), url.searchParams.get("state"));
  const code = back.searchParams.get("code") ?? assert.fail("no code");
  const answer = await fetch(new URL("/oauth/token", service.url), {
    method: "POST",
    body: new URLSearchParams({ grant_type: "authorization_code", client_id: application.id, code, code_verifier: verifier }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  await createClient({ url: service.url, token }).posts.list.query();
  // Only the wrong password is told, by the browser itself: no policy was broken.
  assert.deepEqual(complaints.filter((complaint) => !complaint.includes("401")), []);
});

test("a person is back at an application that listens on IPv6", async (t) => {
  const { url6 } = application;
  if (url6 === null) return t.skip("this machine has no ::1");
  const { url } = asking(`${url6}/callback`);
  await signIn(await registered(), url);
  const back = await decide("approve");
  assert.deepEqual([back.origin, back.pathname, back.searchParams.has("code")], [url6, "/welcome", true]);
  assert.deepEqual(complaints, []);
});

test("a person says no", async () => {
  const { url } = asking();
  await signIn(await registered(), url);
  const { searchParams } = await decide("deny");
  assert.deepEqual([searchParams.get("error"), searchParams.has("code")], ["access_denied", false]);
  assert.deepEqual(complaints, []);
});

test("the page offers to sign in elsewhere where that is possible", async () => {
  const { url } = asking();
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (!request.url().endsWith("/trpc/oauth.providers")) return void request.continue();
    const items = [{ id: "acme", label: "<b>Acme</b>" }];
    void request.respond({ contentType: "application/json", body: JSON.stringify({ result: { data: { items } } }) });
  });
  await page.goto(url.href);
  const link = (await page.waitForSelector("form a")) ?? assert.fail("no link");
  const [text, href] = await link.evaluate((a) => [a.textContent ?? "", a.href]);
  assert.equal(text, "Sign in with <b>Acme</b>");
  const { pathname, searchParams } = new URL(href ?? "");
  assert.deepEqual([pathname, searchParams.get("provider")], ["/oauth/start", "acme"]);
  // It comes back to this page, which says in words what came of it and goes on.
  const back = new URL(searchParams.get("return_to") ?? "", url);
  assert.deepEqual([back.pathname, back.searchParams.get("return_to")], ["/sign-in", url.href]);
  assert.deepEqual(complaints, []);
});

test("another page neither frames the question nor answers it", async () => {
  const { url } = asking();
  await signIn(await registered(), url);
  // On this machine, but another origin: for the browser the same site, so that it sends the cookie along.
  await page.goto(`${application.url}/page?${encodeURIComponent(`<iframe src="${url.href.replaceAll("&", "&amp;")}"></iframe>`)}`);
  const frame = page.frames().find((one) => one !== page.mainFrame()) ?? assert.fail("no frame");
  assert.equal(await frame.$("[name=decision]"), null);
  assert.ok(complaints.some((complaint) => complaint.includes("frame-ancestors")), complaints.join("\n"));

  const fields = [...url.searchParams, ["decision", "approve"], ["csrf_token", randomBytes(32).toString("base64url")]];
  const inputs = fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join("");
  const form = `<form method="post" action="${url.origin}/oauth/authorize">${inputs}<button>x</button></form>`;
  await page.goto(`${application.url}/page?${encodeURIComponent(form)}`);
  const [answer] = await Promise.all([page.waitForNavigation(), page.click("button")]);
  assert.equal(answer?.status(), 403);
  assert.match(await answer.text(), /Nothing was decided/);
  // From another site the browser sends no cookie at all.
  await page.goto(`${application.url.replace("127.0.0.1", "localhost")}/page?${encodeURIComponent(form)}`);
  const [second] = await Promise.all([page.waitForNavigation(), page.click("button")]);
  assert.equal(second?.status(), 401);
});

/** Presses a button whose answer counts for nothing, and asks to be asked again. */
async function askedAgain(press: () => Promise<void>, status: number, why: string): Promise<void> {
  const [answer] = await Promise.all([page.waitForNavigation(), press()]);
  assert.equal(answer?.status(), status);
  assert.match(answer?.headers()["content-type"] ?? "", /^text\/html/);
  const text = await page.$eval("main", (main) => main.textContent ?? "");
  assert.ok(text.includes("Nothing was decided") && text.includes(why), text);
  await Promise.all([page.waitForNavigation(), page.click("main a")]);
}

test("an answer that does not count is asked for once more, and then the application hears it", async () => {
  const person = await registered();
  const { url } = asking();
  const press = (value: string) => () => page.click(`[value=${value}]`);
  const elsewhere = async (procedure: string) => {
    const other = await context.newPage();
    await other.goto(new URL("/sign-in", service.url).href);
    await other.evaluate(async (procedure) => {
      const csrf = (await fetch("/trpc/auth.me")).headers.get("x-csrf-token") ?? "";
      await fetch(`/trpc/${procedure}`, { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: "{}" });
    }, procedure);
    await other.close();
  };
  await signIn(person, url);
  await elsewhere("auth.refresh");
  await askedAgain(press("approve"), 403, "You signed in anew meanwhile");
  await page.waitForSelector("[name=decision]");

  await page.$$eval("[name=decision]", (buttons) => buttons.forEach((button) => button.removeAttribute("name")));
  await askedAgain(press("approve"), 400, "Neither yes nor no was said.");

  await elsewhere("auth.logout");
  await askedAgain(press("deny"), 401, "You were signed out meanwhile.");
  await page.type("[name=email]", person.email);
  await page.type("[name=password]", person.password);
  await Promise.all([page.waitForSelector("[name=decision]"), page.click("button")]);
  const back = await decide("approve");
  assert.equal(back.searchParams.get("state"), url.searchParams.get("state"));
  assert.ok(back.searchParams.has("code"), back.href);
});

test("what the question says of taking it back leads somewhere", async () => {
  const { url } = asking();
  await signIn(await registered(), url);
  await Promise.all([page.waitForNavigation(), page.click("main a")]);
  await page.waitForFunction(() => document.body.innerText.includes("Mail a link"));
});

test("the longest state that is taken leads through the sign-in, and a longer one is told to the application", async () => {
  const person = await registered();
  const { url } = asking();
  const fitting = (bytes: number) => {
    url.searchParams.set("state", "");
    url.searchParams.set("state", "a".repeat(bytes - url.search.slice(1).length));
    return url;
  };
  await page.goto(fitting(2_500).href);
  const start = new URL("/oauth/start", service.url);
  start.search = new URLSearchParams({ provider: "nobody", return_to: `/sign-in${new URL(page.url()).search}` }).toString();
  assert.match(await (await fetch(start)).text(), /There is no such provider/, "its length is no reason to refuse");
  await signIn(person, url);
  assert.equal((await decide("approve")).searchParams.get("state"), url.searchParams.get("state"));
  const refused = new URL((await fetch(fitting(2_501), { redirect: "manual" })).headers.get("location") ?? "");
  assert.equal(refused.searchParams.get("error"), "invalid_request");
  assert.equal(refused.searchParams.get("state"), url.searchParams.get("state"));
});
