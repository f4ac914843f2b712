// A page with the generated client in a real browser: from its own sign-in form to calls that only who is signed in may
// make, over a reload, with two tabs, and out again.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { createClient } from "@onefold/testbed";
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { mailedToken, startService, type Service } from "../src/service.js";
import { startBrowser, startPage } from "./browser.js";

let service: Service;
let browser: Browser;
let site: Awaited<ReturnType<typeof startPage>>;
let context: BrowserContext;
before(async () => {
  [site, browser] = await Promise.all([startPage(), startBrowser()]);
  process.env["ONEFOLD_APP_URL"] = site.url;
  service = await startService();
  // Cookies are of a host, whatever the port: for a browser, the page and the service are one site here.
  site.service = service.url.replace("127.0.0.1", "localhost");
  // Not the first to come, whoever registers is a guest.
  await administrator().users.create.mutate({ email: "root@example.com", name: "Root", role: "administrator" });
});
after(async () => {
  await browser?.close();
  site?.stop();
  await service?.stop();
});
// A person's browser, without cookies or anything kept.
beforeEach(async () => {
  context = await browser.createBrowserContext();
});
afterEach(() => context.close());

const administrator = () => createClient({ url: service.url, token: service.administrator });

/** Somebody who has registered. */
async function registered() {
  const [email, password] = [`${randomUUID()}@example.com`, randomUUID()];
  await createClient({ url: service.url }).auth.register.mutate({ email, name: "Ada", password });
  return { email, password };
}

/** Somebody whose address is proved, and whom an administrator made an employee. */
async function somebody() {
  const { email, password } = await registered();
  await administrator().auth.verifyEmail.mutate({ token: await mailedToken(service, email), password });
  const { items } = await administrator().users.list.query({ limit: 100 });
  const { id } = items.find((user) => user.email === email) ?? assert.fail("nobody has registered");
  await administrator().users.update.mutate({ id, role: "employee" });
  return { email, password, id };
}

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
  await page.goto(`${at}/?keep=${keep}`);
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

async function fillIn(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
  for (const [name, text] of Object.entries({ email, password })) {
    await page.$eval(`[name=${name}]`, (field) => void ((field as HTMLInputElement).value = ""));
    await page.type(`[name=${name}]`, text);
  }
}

async function signIn(page: Page, person: { email: string; password: string }): Promise<string> {
  await fillIn(page, person);
  return press(page, "form button", "who");
}

/** The link of the newest mail to somebody. */
async function linkOf(email: string): Promise<string> {
  const [mail] = await service.mails(email);
  const link = /http\S+/.exec(mail?.text ?? "")?.[0] ?? assert.fail("no link");
  assert.ok(link.startsWith(`${site.url}/`), link);
  return link;
}

test("the browser finds this machine and nothing else", async () => {
  const { page } = await open("cookie");
  for (const url of ["http://example.com/", "http://192.0.2.1/", "https://[2001:db8::1]/"]) {
    await assert.rejects(page.goto(url), /ERR_NAME_NOT_RESOLVED/, url);
  }
});

test("whoever registers proves their address with the link of a mail, and reads nothing until somebody gives a role", async () => {
  const [{ page }, ada] = [await open("cookie"), { email: `${randomUUID()}@example.com`, password: randomUUID() }];
  await fillIn(page, ada);
  assert.equal(await press(page, "#register", "said"), "mailed");
  assert.equal(await signIn(page, ada), "wrongCredentials", "the address is not proved");
  await page.goto(await linkOf(ada.email));
  assert.equal(await shown(page, "said"), "proved");
  assert.equal(await signIn(page, ada), ada.email);
  assert.equal(await press(page, "#read", "said"), "FORBIDDEN");
  const { items } = await administrator().users.list.query({ limit: 100 });
  const { id } = items.find((user) => user.email === ada.email) ?? assert.fail("nobody has registered");
  await administrator().users.update.mutate({ id, role: "viewer" });
  assert.match(await press(page, "#read", "said"), /^\d+ posts$/);
  assert.equal(await press(page, "#write", "said"), "FORBIDDEN");
});

test("in another browser than the one that registered, a link asks for the password of the registration", async () => {
  const [{ page }, ada] = [await open("cookie"), await registered()];
  await page.goto(await linkOf(ada.email));
  assert.equal(await shown(page, "said"), "passwordNeeded");
  await fillIn(page, ada);
  assert.equal(await press(page, "#confirm", "said"), "proved");
  assert.equal(await signIn(page, ada), ada.email);
});

test("who did not register chooses a password with the link, and whoever did is out", async () => {
  const [{ page }, stranger] = [await open("cookie"), await registered()];
  const owner = { email: stranger.email, password: randomUUID() };
  await page.goto(await linkOf(owner.email));
  assert.equal(await shown(page, "said"), "passwordNeeded");
  await fillIn(page, owner);
  assert.equal(await press(page, "#confirm", "said"), "passwordNeeded");
  assert.equal(await press(page, "#choose", "said"), "chosen");
  assert.equal(await signIn(page, stranger), "wrongCredentials");
  assert.equal(await signIn(page, owner), owner.email);
});

for (const keep of KEEPS) {
  test(`${keep}: sign in, call, load the page again, sign out`, async () => {
    const [{ page }, ada] = [await open(keep), await somebody()];
    assert.equal(await shown(page, "who"), "nobody");
    assert.equal(await press(page, "#read", "said"), "UNAUTHORIZED");
    assert.equal(await signIn(page, { ...ada, password: "not the password" }), "wrongCredentials");
    assert.equal(await signIn(page, ada), ada.email);
    assert.match(await press(page, "#read", "said"), /^\d+ posts$/);
    assert.equal(await press(page, "#write", "said"), "wrote Hello");

    await page.reload();
    assert.equal(await shown(page, "who"), ada.email);
    assert.equal(await press(page, "#write", "said"), "wrote Hello");

    assert.equal(await press(page, "#out", "who"), "nobody");
    assert.equal(await press(page, "#write", "said"), "UNAUTHORIZED");
    await page.reload();
    assert.equal(await shown(page, "who"), "nobody");
  });

  test(`${keep}: who signs out in one tab has signed out in all`, async () => {
    const [{ page: one }, { page: other }] = [await open(keep), await open(keep)];
    const ada = await somebody();
    await signIn(one, ada);
    await other.reload();
    assert.equal(await shown(other, "who"), ada.email);
    assert.equal(await press(one, "#out", "who"), "nobody");
    assert.equal(await press(other, "#write", "said"), "UNAUTHORIZED");
    assert.equal(await shown(other, "who"), "ended");
  });
}

test("cookie: a page's scripts cannot read what proves who is signed in", async () => {
  const { page } = await open("cookie");
  await signIn(page, await somebody());
  await press(page, "#write", "said");
  const kept = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }));
  const cookies = await context.cookies();
  assert.ok(cookies.some(({ name }) => name === "onefold-local"));
  for (const { name, value } of cookies) assert.ok(!kept.includes(name) && !kept.includes(value), name);
});

test("cookie: pages of another site are nobody", async () => {
  const { page } = await open("cookie");
  await signIn(page, await somebody());
  const { page: stranger } = await open("cookie", site.url.replace("localhost", "127.0.0.1"));
  assert.equal(await shown(stranger, "who"), "nobody");
});

/** How often the service was asked for something. */
const count = (tabs: readonly { calls: string[] }[], name: string) =>
  tabs.flatMap(({ calls }) => calls).filter((call) => call === name).length;

test("cookie: two tabs renew it once when what its holder may do has changed", async () => {
  const tabs = [await open("cookie"), await open("cookie")] as const;
  const ada = await somebody();
  await signIn(tabs[0].page, ada);
  await administrator().users.update.mutate({ id: ada.id, role: "administrator" });
  await Promise.all(tabs.map(({ page }) => press(page, "#read", "said")));
  for (const { page } of tabs) assert.equal(await press(page, "#write", "said"), "wrote Hello");
  assert.equal(count(tabs, "auth.refresh"), 1);
});

test("a page may have both: the renewal of a cookie leaves tokens as they are", async () => {
  const [{ page: byCookie, calls }, { page: byTokens }] = [await open("cookie"), await open("tokens")];
  const [ada, bob] = [await somebody(), await somebody()];
  await signIn(byCookie, ada);
  await signIn(byTokens, bob);
  await administrator().users.update.mutate({ id: ada.id, role: "viewer" });
  await press(byCookie, "#read", "said");
  while (!calls.includes("auth.refresh")) await press(byCookie, "#read", "said");
  await byCookie.waitForNetworkIdle();
  await byTokens.reload();
  assert.equal(await shown(byTokens, "who"), bob.email);
  assert.equal(await shown(byCookie, "who"), ada.email);
});

test("cookie: what its holder may do no more ends with the next call", async () => {
  const [{ page }, ada] = [await open("cookie"), await somebody()];
  await signIn(page, ada);
  assert.equal(await press(page, "#write", "said"), "wrote Hello");
  await administrator().users.update.mutate({ id: ada.id, role: "viewer" });
  assert.equal(await press(page, "#write", "said"), "FORBIDDEN");
  assert.match(await press(page, "#read", "said"), /^\d+ posts$/);
});

test("tokens: two tabs whose token is about to expire refresh once", async () => {
  const tabs = [await open("tokens"), await open("tokens")] as const;
  await signIn(tabs[0].page, await somebody());
  // A quarter of an hour goes by.
  await tabs[0].page.evaluate(() => {
    for (const [key, text] of Object.entries(localStorage)) {
      const tokens = JSON.parse(String(text)) as { receivedAt: number };
      localStorage.setItem(key, JSON.stringify({ ...tokens, receivedAt: tokens.receivedAt - 900_000 }));
    }
  });
  const said = await Promise.all(tabs.map(({ page }) => press(page, "#write", "said")));
  assert.deepEqual(said, ["wrote Hello", "wrote Hello"]);
  assert.equal(count(tabs, "auth.refresh"), 1);
});
