// The pages of a service without a frontend, in a real browser: a mail's link leads somewhere, from registering to being
// signed in.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { createClient } from "@onefold/testbed";
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { startService, type Service } from "../src/service.js";
import { startBrowser, watchedPage } from "./browser.js";

const PASSWORD = "seven grey herons wade";

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained about, but for answers that are refusals. */
let complaints: string[];

before(async () => {
  delete process.env["ONEFOLD_APP_URL"];
  [service, browser] = await Promise.all([startService(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});
beforeEach(async () => {
  ({ context, page, complaints } = await watchedPage(browser));
});
afterEach(async () => {
  assert.deepEqual(complaints.filter((text) => !/status of 4\d\d/.test(text)), []);
  await context.close();
});

/** The link in the newest mail that somebody got. */
async function link(email: string): Promise<string> {
  const [mail] = await service.mails(email);
  return /^https?:\S+$/m.exec(mail?.text ?? "")?.[0] ?? assert.fail(`${email} got no link`);
}

const client = () => createClient({ url: service.url });
const shown = (selector: string) => page.waitForSelector(selector, { visible: true });
const said = (text: string) => page.waitForFunction((text) => document.body.innerText.includes(text), {}, text);

/** Fills the form that is shown, of which a page may have several, and presses its button. */
async function fill(fields: Record<string, string>): Promise<void> {
  const names = Object.keys(fields).map((name) => `:has([name=${name}])`).join("");
  const form = (await shown(`form${names}:not([hidden])`)) ?? assert.fail("no form");
  for (const [name, text] of Object.entries(fields)) await form.$eval(`[name=${name}]`, (input) => ((input as HTMLInputElement).value = "")).then(async () => (await form.$(`[name=${name}]`))?.type(text));
  await (await form.$("button"))?.click();
}

const at = (path: string) => new URL(path, service.url).href;
const administrator = () => createClient({ url: service.url, token: service.administrator });

/** Somebody with a password. */
async function somebody(email: string): Promise<void> {
  await administrator().users.create.mutate({ email, name: "Somebody" });
  await client().auth.requestReset.mutate({ email });
  const token = new URLSearchParams(new URL(await link(email)).hash.slice(1)).get("token") ?? "";
  await client().auth.resetPassword.mutate({ token, password: PASSWORD });
}

test("the link of a registration: the password proves it in another browser, and then signs in", async () => {
  const email = "ada@example.com";
  await client().auth.register.mutate({ email, name: "Ada", password: PASSWORD });
  await page.goto(await link(email));
  await fill({ password: "not the password of it" });
  await said("Neither is this the browser");
  await page.$eval("input", (input) => (input.value = ""));
  await fill({ password: PASSWORD });
  await said("Your address is confirmed.");
  await Promise.all([page.waitForNavigation(), page.click("#done a")]);
  await fill({ email, password: PASSWORD });
  await said("You are signed in.");
  await page.reload();
  await said("You are signed in.");
});

test("the page to sign in at leads on to an address of the service, and to no other", async () => {
  const email = "hedy@example.com";
  await client().auth.register.mutate({ email, name: "Hedy", password: PASSWORD });
  await page.goto(await link(email));
  await fill({ password: PASSWORD });
  await said("Your address is confirmed.");
  const signIn = async (returnTo: string) => {
    const address = new URL("/sign-in", service.url);
    address.searchParams.set("return_to", returnTo);
    await page.deleteCookie(...(await page.cookies()));
    await page.goto(address.href);
    await fill({ email, password: PASSWORD });
  };
  for (const other of ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:document.body.remove()", "data:text/html,x", "http://["]) {
    await signIn(other);
    await said("You are signed in.");
    assert.equal(new URL(page.url()).pathname, "/sign-in", other);
  }
  for (const own of ["/docs", new URL("/docs", service.url).href]) {
    const arrived = page.waitForResponse((response) => new URL(response.url()).pathname === "/docs");
    await signIn(own);
    assert.equal((await arrived).status(), 200);
  }
});

test("the link of a registration proves it at once in the browser that registered", async () => {
  const email = "grace@example.com";
  await page.goto(new URL("/sign-in", service.url).href);
  await page.evaluate(
    (input) => fetch("/trpc/auth.register", { method: "POST", headers: { "content-type": "application/json" }, body: input }).then(() => {}),
    JSON.stringify({ email, name: "Grace", password: PASSWORD }),
  );
  await page.goto(await link(email));
  await said("Your address is confirmed.");
});

test("the link for a new password takes one, says what is wrong with it, and is good once", async () => {
  const email = "erik@example.com";
  await administrator().users.create.mutate({ email, name: "Erik" });
  await client().auth.requestReset.mutate({ email });
  const address = await link(email);
  await page.goto(address);
  await fill({ password: "password1234" });
  await said("easily guessed");
  await page.$eval("input", (input) => (input.value = ""));
  await fill({ password: PASSWORD });
  await said("You have a new password.");
  await page.goto("about:blank");
  await page.goto(address);
  await fill({ password: PASSWORD });
  await said("The link is not good any more");
});

test("whoever is signed in proves an address, chooses a password and signs in as somebody else as well", async () => {
  await somebody("carol@example.com");
  await page.goto(at("/sign-in"));
  await fill({ email: "carol@example.com", password: PASSWORD });
  await said("carol@example.com");
  const email = "eve2@example.com";
  await page.evaluate(
    (input) => fetch("/trpc/auth.register", { method: "POST", headers: { "content-type": "application/json" }, body: input }).then(() => {}),
    JSON.stringify({ email, name: "Eve", password: PASSWORD }),
  );
  await page.goto(await link(email));
  await said("Your address is confirmed.");

  await client().auth.requestReset.mutate({ email });
  await page.goto(await link(email));
  await fill({ password: "nine blue lamps hum" });
  await said("You have a new password.");
  // The token of the session before is of no use with a cookie that another tab was given meanwhile.
  await page.goto(at("/sign-in"));
  await said("carol@example.com");
  const other = await context.newPage();
  await other.goto(at("/sign-in"));
  await other.evaluate(async () => {
    const csrf = (await fetch("/trpc/auth.me")).headers.get("x-csrf-token") ?? "";
    await fetch("/trpc/auth.refresh", { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: "{}" });
  });
  await page.click("#out button");
  await fill({ email, password: "nine blue lamps hum" });
  await said("This is the account of eve2@example.com.");
});

test("no form is there without the script that has it in hand, and none would be sent", async () => {
  for (const path of ["/sign-in", "/verify-email#token=x", "/reset-password#token=x", "/reset-password"]) {
    await page.setJavaScriptEnabled(false);
    await page.goto(at(path));
    assert.match(await page.$eval("main", (main) => (main as HTMLElement).innerText), /This page needs JavaScript\./);
    assert.equal(await page.$$eval("form, input, button", (parts) => parts.filter((part) => part.checkVisibility()).length), 0, path);
    const forms = await page.$$eval("form", (forms) => forms.map(({ method }) => method));
    assert.ok(forms.length > 0 && forms.every((method) => method === "post"), path);
    await page.setJavaScriptEnabled(true);
    const answer = await fetch(at(path));
    assert.match(answer.headers.get("content-security-policy") ?? "", /form-action 'none'/, path);
  }
});

test("a sign-in elsewhere that comes to nothing is told in words, wherever it ends", async () => {
  const words = async () => (await page.$eval("[role=alert]", (part) => part.textContent)) ?? "";
  const general = "You were not signed in.";
  const codes = ["denied", "expired", "refused", "unavailable", "no_email", "confirm_email", "sign_in_first", "other_linked", "taken", "registration_closed", "other_domain", "other_account", "not_fresh"];
  const told = new Set<string>();
  for (const code of codes) {
    await page.goto("about:blank");
    await page.goto(at(`/sign-in?return_to=/docs#error=${code}`));
    told.add(await words());
  }
  assert.ok(told.size === codes.length && !told.has(general) && !told.has(""), [...told].join("\n"));
  await page.goto("about:blank");
  await page.goto(at("/sign-in#error=constructor"));
  assert.equal(await words(), general);
  await page.goto(at("/oauth/callback/acme?state=AAAA&code=x"));
  assert.match(await words(), /Begin again/);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
});

test("who goes to an address that refuses reads why", async () => {
  const refused: [string, number, string][] = [
    ["/oauth/start?provider=nobody", 400, "There is no such provider"],
    ["/oauth/start", 400, "A parameter is missing: provider."],
    ["/oauth/start?provider=nobody&return_to=//evil.example", 400, "return_to is not a path"],
  ];
  for (const [path, status, why] of refused) {
    const answer = await page.goto(at(path));
    assert.deepEqual([answer?.status(), answer?.headers()["content-type"]], [status, "text/html; charset=utf-8"], path);
    await said(why);
    const called = await fetch(at(path));
    assert.equal(called.headers.get("content-type"), "application/json", "a program reads JSON");
  }
});

test("what mails and pages speak of is there: another link, a new password, the way back", async () => {
  const email = "fay@example.com";
  await somebody(email);
  // Somebody who forgot that there is an account.
  await client().auth.register.mutate({ email, name: "Fay", password: PASSWORD });
  await page.goto(await link(email));
  await Promise.all([page.waitForNavigation(), page.click("a[href='/reset-password']")]);
  await fill({ email });
  await said("a link was mailed to it");
  await page.goto(await link(email));
  await fill({ password: "nine blue lamps hum" });
  await said("You have a new password.");
  await Promise.all([page.waitForNavigation(), page.click("#done a")]);
  await fill({ email, password: "nine blue lamps hum" });
  await said("This is the account of fay@example.com.");

  const newcomer = "gil@example.com";
  await client().auth.register.mutate({ email: newcomer, name: "Gil", password: PASSWORD });
  await page.goto(at("/verify-email#token=AAAA"));
  await said("Ask for another link.");
  const before = (await service.mails(newcomer)).length;
  await fill({ email: newcomer });
  await said("a link was mailed to it");
  assert.equal((await service.mails(newcomer)).length, before + 1);
  // In the same tab, where no more than what stands behind the `#` is another.
  await page.goto(await link(newcomer));
  await fill({ password: PASSWORD });
  await said("Your address is confirmed.");
});

test("an empty return_to is none, and one that is not on the web leads nowhere", async () => {
  const email = "ivy@example.com";
  await somebody(email);
  for (const other of ["", `blob:${at("/x")}`, `filesystem:${at("/x")}`]) {
    await page.deleteCookie(...(await page.cookies()));
    await page.goto(at(`/sign-in?${new URLSearchParams({ return_to: other })}`));
    await fill({ email, password: PASSWORD });
    await said("You are signed in.");
    assert.equal(new URL(page.url()).pathname, "/sign-in", other);
  }
  // Who comes back from elsewhere signed in goes on at once.
  const arrived = page.waitForResponse((response) => new URL(response.url()).pathname === "/docs");
  await page.goto(at("/sign-in?return_to=/docs&elsewhere=")).catch(() => {});
  assert.equal((await arrived).status(), 200);
});
