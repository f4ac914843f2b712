// The pages of a service without a frontend, in a real browser: a mail's link leads somewhere, from registering to being
// signed in.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { createClient } from "@onefold/backoffice";
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

async function fill(fields: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(fields)) {
    const field = await shown(`input[name=${name}]`);
    await field?.type(text);
  }
  await page.click("button");
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
  const administrator = createClient({ url: service.url, token: service.administrator });
  await administrator.users.create.mutate({ email, name: "Erik" });
  await client().auth.request_reset.mutate({ email });
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
