// A page with the generated client in a real browser: from its own sign-in form to calls that only who is signed in may
// make, over a reload, with two tabs, and out again.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { startBrowser, startPage } from "./browser.js";
import { Imitation, PASSWORD } from "../src/imitation.js";

const email = "ada@example.com";

let service: Imitation;
let browser: Browser;
let site: Awaited<ReturnType<typeof startPage>>;
let context: BrowserContext;
before(async () => {
  service = await new Imitation().start();
  site = await startPage();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  site?.stop();
  service?.stop();
});
// A person's browser, without cookies or anything kept.
beforeEach(async () => {
  context = await browser.createBrowserContext();
});
afterEach(() => context.close());

type Keep = "cookie" | "tokens";
const KEEPS: Keep[] = ["cookie", "tokens"];

/** Opens the page in a tab, and notes which procedures it calls. */
async function open(keep: Keep, at = site.url) {
  const page = await context.newPage();
  const calls: string[] = [];
  page.on("request", (request) => {
    const name = /\/trpc\/([\w.]+)/.exec(request.url())?.[1];
    if (name !== undefined && request.method() !== "OPTIONS") calls.push(name);
  });
  const url = service.url.replace("127.0.0.1", "localhost");
  await page.goto(`${at}?keep=${keep}&service=${encodeURIComponent(url)}`);
  return { page, calls };
}

/** What the page shows in one place, once it shows something. */
async function shown(page: Page, id: "who" | "said"): Promise<string> {
  const text = await page.waitForFunction((id) => document.getElementById(id)?.textContent, {}, id);
  return String(await text.jsonValue());
}

/** Presses a button, and says what the page shows then. */
async function press(page: Page, button: string, id: "who" | "said"): Promise<string> {
  await page.$eval(`#${id}`, (place) => void (place.textContent = ""));
  await page.click(button);
  return shown(page, id);
}

async function signIn(page: Page, password = PASSWORD): Promise<string> {
  for (const [name, text] of Object.entries({ email, password })) {
    await page.$eval(`[name=${name}]`, (field) => void ((field as HTMLInputElement).value = ""));
    await page.type(`[name=${name}]`, text);
  }
  return press(page, "form button", "who");
}

test("the browser finds this machine and nothing else", async () => {
  const { page } = await open("cookie");
  for (const url of ["http://example.com/", "http://192.0.2.1/", "https://[2001:db8::1]/"]) {
    await assert.rejects(page.goto(url), /ERR_NAME_NOT_RESOLVED/, url);
  }
});

for (const keep of KEEPS) {
  test(`${keep}: sign in, call, load the page again, sign out`, async () => {
    const { page } = await open(keep);
    assert.equal(await shown(page, "who"), "nobody");
    assert.match(await press(page, "#read", "said"), /^TRPCClientError/);
    assert.equal(await signIn(page, "not the password"), "wrongCredentials");
    assert.equal(await signIn(page), email);
    assert.match(await press(page, "#read", "said"), /^\d+ posts$/);
    assert.equal(await press(page, "#write", "said"), "wrote Hello");

    await page.reload();
    assert.equal(await shown(page, "who"), email);
    assert.equal(await press(page, "#write", "said"), "wrote Hello");

    assert.equal(await press(page, "#out", "who"), "nobody");
    assert.match(await press(page, "#write", "said"), /^TRPCClientError/);
    await page.reload();
    assert.equal(await shown(page, "who"), "nobody");
  });

  test(`${keep}: who signs out in one tab has signed out in all`, async () => {
    const [{ page: one }, { page: other }] = [await open(keep), await open(keep)];
    await signIn(one);
    await other.reload();
    assert.equal(await shown(other, "who"), email);
    assert.equal(await press(one, "#out", "who"), "nobody");
    assert.match(await press(other, "#write", "said"), /^TRPCClientError/);
    assert.equal(await shown(other, "who"), "ended");
  });
}

test("cookie: a page's scripts cannot read what proves who is signed in", async () => {
  const { page } = await open("cookie");
  await signIn(page);
  await press(page, "#write", "said");
  const kept = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }));
  for (const { name, value } of await context.cookies()) {
    assert.ok(!kept.includes(name) && !kept.includes(value), "a script reads the cookie");
  }
  assert.equal((await context.cookies()).length, 1);
});

test("cookie: pages of another site are nobody", async () => {
  const { page } = await open("cookie");
  await signIn(page);
  const { page: stranger } = await open("cookie", site.url.replace("localhost", "127.0.0.1"));
  assert.equal(await shown(stranger, "who"), "nobody");
});

test("cookie: two tabs that are asked to renew it do so once", async () => {
  const [one, other] = [await open("cookie"), await open("cookie")];
  await signIn(one.page);
  await other.page.reload();
  service.asksForRenewal = true;
  await Promise.all([one, other].map(({ page }) => press(page, "#read", "said")));
  await Promise.all([one, other].map(({ page }) => press(page, "#write", "said")));
  service.asksForRenewal = false;
  const renewals = [...one.calls, ...other.calls].filter((name) => name === "auth.refresh");
  assert.equal(renewals.length, 1);
});

test("tokens: two tabs whose token is about to expire refresh once", async () => {
  const [one, other] = [await open("tokens"), await open("tokens")];
  await signIn(one.page);
  // A quarter of an hour goes by.
  await one.page.evaluate(() => {
    for (const [key, text] of Object.entries(localStorage)) {
      const tokens = JSON.parse(String(text)) as { receivedAt: number };
      localStorage.setItem(key, JSON.stringify({ ...tokens, receivedAt: tokens.receivedAt - 900_000 }));
    }
  });
  await Promise.all([one, other].map(({ page }) => press(page, "#write", "said")));
  assert.equal(await shown(one.page, "said"), "wrote Hello");
  assert.equal(await shown(other.page, "said"), "wrote Hello");
  const refreshes = [...one.calls, ...other.calls].filter((name) => name === "auth.refresh");
  assert.equal(refreshes.length, 1);
});
