// GraphiQL at /graphql, in a browser that reaches nothing but the service.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "@onefold/testbed";
import type { Browser, Page } from "puppeteer-core";
import { mailedToken, startService, type Service } from "../src/service.js";
import { startBrowser } from "./browser.js";

let service: Service;
let browser: Browser;
let page: Page;
const troubles: string[] = [];
const asked: string[] = [];
/** What was sent with requests. */
const sent: string[] = [];

before(async () => {
  delete process.env["ONEFOLD_APP_URL"];
  [service, browser] = await Promise.all([startService(), startBrowser()]);
  page = await browser.newPage();
  page.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
  page.on("pageerror", (error) => void troubles.push(String(error)));
  page.on("request", (request) => {
    asked.push(request.url());
    sent.push(request.postData() ?? "");
  });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const url = (path: string) => new URL(path, service.url).href;

/** Runs what the page holds, and reads the answer. */
async function run(): Promise<string> {
  await page.waitForSelector(".graphiql-execute-button");
  await page.click(".graphiql-execute-button");
  await page.waitForFunction(() => /"(data|errors)"/.test(document.querySelector(".result-window")?.textContent ?? ""));
  return page.$eval(".result-window", (element) => element.textContent ?? "");
}

test("a query is written, run and answered", async () => {
  await page.goto(url(`/graphql?query=${encodeURIComponent("{ healthPing }")}`));
  assert.match(await run(), /"healthPing": ?"pong"/);
});

test("who is signed in reads and changes", async () => {
  const [email, password] = ["ada@example.com", "seven grey herons wade"];
  const visitor = createClient({ url: service.url });
  await visitor.auth.register.mutate({ email, name: "Ada", password });
  await visitor.auth.verifyEmail.mutate({ token: await mailedToken(service, email), password });
  await page.goto(url("/sign-in"));
  await page.type("[name=email]", email);
  await page.type("[name=password]", password);
  await Promise.all([page.waitForSelector("#done:not([hidden])"), page.click("button")]);
  troubles.length = 0;
  await page.goto(url(`/graphql?query=${encodeURIComponent("{ authMe { ... on Me { email } } }")}`));
  assert.match(await run(), /ada@example\.com/);
  const change = `mutation { sessionsRevokeOthers { count } }`;
  await page.goto(url(`/graphql?query=${encodeURIComponent(change)}`));
  assert.match(await run(), /"count": ?0/);
});

test("what was done in part is not done again", async () => {
  const posts = () => sent.filter((body) => body.includes("authRequestReset")).length;
  // The first is for everybody; the second is refused for the page has no token against cross-site requests yet.
  const change = `mutation { authRequestReset(input: { email: "ada@example.com" }) { __typename } sessionsRevokeOthers { __typename } }`;
  await page.goto(url(`/graphql?query=${encodeURIComponent(change)}`));
  assert.match(await run(), /FORBIDDEN/);
  assert.equal(posts(), 1);
});

test("it asks the service and nobody else, and breaks no policy", () => {
  const { origin } = new URL(service.url);
  assert.deepEqual(asked.filter((address) => !address.startsWith(origin) && !address.startsWith("data:")), []);
  assert.deepEqual(troubles, []);
});

test("a program is answered as before", async () => {
  const query = await fetch(url("/graphql?query=%7BhealthPing%7D"), { headers: { accept: "application/json" } });
  assert.deepEqual([query.headers.get("content-type"), await query.json()], ["application/json; charset=utf-8", { data: { healthPing: "pong" } }]);
});
