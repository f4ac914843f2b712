// The documentation in a browser that reaches nothing but the service: it can be read, searched and copied from.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "puppeteer-core";
import { startService, type Service } from "../src/service.js";
import { startBrowser } from "./browser.js";

let service: Service;
let browser: Browser;
let page: Page;
const troubles: string[] = [];
const asked: string[] = [];

before(async () => {
  service = await startService();
  browser = await startBrowser();
  page = await browser.newPage();
  page.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
  page.on("pageerror", (error) => void troubles.push(String(error)));
  page.on("request", (request) => void asked.push(request.url()));
  await page.goto(new URL("/docs", service.url).href);
});
after(async () => {
  await browser.close();
  await service.stop();
});

/** The procedures and types that are to be seen. */
const shown = () =>
  page.$$eval("article", (articles) => articles.filter((article) => article.checkVisibility()).map(({ id }) => id));

test("it asks for nothing but its own style and script", async () => {
  const { origin } = new URL(service.url);
  const paths = asked.map((url) => url.replace(origin, "")).filter((path) => path !== "/favicon.ico");
  assert.deepEqual(paths, ["/docs", "/docs/docs.css", "/docs/docs.js"]);
  assert.deepEqual(troubles.filter((trouble) => !trouble.includes("404")), []);
});

test("a search looks at what is said of procedures, and not at the calls", async () => {
  await shown();
  await page.keyboard.press("/");
  // Each call by SOAP says it.
  await page.keyboard.type("soapaction");
  assert.deepEqual(await shown(), []);
  await page.$eval("#search", (search) => {
    (search as HTMLInputElement).value = "";
    search.dispatchEvent(new Event("input"));
    (search as HTMLInputElement).blur();
  });
});

test("procedures with a form of their own are told of as well, and pages have an icon", async () => {
  assert.ok((await shown()).includes("grants.token"));
  assert.match(await page.$eval('[id="grants.token"]', (article) => article.textContent), /POST \/oauth\/token/);
  const icon = await fetch(new URL("/favicon.ico", service.url));
  assert.deepEqual([icon.status, icon.headers.get("content-type")], [200, "image/svg+xml"]);
});

test("a search leaves what has all the words", async () => {
  const all = await shown();
  await page.keyboard.press("/");
  await page.keyboard.type("emailTaken age");
  assert.deepEqual(await shown(), ["users.create", "users.update"]);
  assert.equal(await page.$eval("#found", (found) => found.textContent), "2 found");
  // A link into what is not shown ends the search.
  await page.evaluate(() => void (location.hash = "#health.ping"));
  await page.waitForFunction(() => document.getElementById("health.ping")?.checkVisibility());
  assert.deepEqual(await shown(), all);
});

test("an example is copied by the keyboard", async () => {
  await browser.defaultBrowserContext().overridePermissions(new URL(service.url).origin, ["clipboard-read", "clipboard-write"]);
  await page.focus('[id="users.list"] pre button');
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.textContent !== "Copy");
  const copied = await page.evaluate(() => getSelection()?.toString() || navigator.clipboard.readText());
  assert.match(copied, /^curl "\$URL\/v1\/users\?limit=20"/);
});

/** The least contrast of a text on its ground (WCAG 2.2, 1.4.3). */
const contrast = () =>
  page.evaluate(() => {
    const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (colour: string) => {
      const [r = 0, g = 0, b = 0] = channels(colour).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element: Element | null): string => {
      if (element === null) return "rgb(255, 255, 255)";
      const colour = getComputedStyle(element).backgroundColor;
      return channels(colour)[3] === 0 ? ground(element.parentElement) : colour;
    };
    const texts = [...document.querySelectorAll("h1, h3, p, th, td, code, a, .limits, .kind, button, summary, input")];
    const ratios = texts.map((element) => {
      const two = [luminance(getComputedStyle(element).color), luminance(ground(element))];
      return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
    });
    return Math.min(...ratios);
  });

test("it can be read in the light and in the dark, and remembers which", async () => {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  const grounds: string[] = [];
  const ground = () => page.$eval("body", (body) => getComputedStyle(body).backgroundColor);
  for (const _ of [1, 2]) {
    grounds.push(await ground());
    const least = await contrast();
    assert.ok(least >= 4.5, `a contrast of ${least} on ${String(grounds.at(-1))}`);
    await page.click("#theme");
  }
  assert.notEqual(grounds[0], grounds[1]);
  await page.click("#theme");
  await page.reload();
  assert.equal(await ground(), grounds[1]);
});

test("every field has a label, and headings leave out no level", async () => {
  const nameless = await page.$$eval("input, button, nav", (elements) =>
    elements.filter((element) => {
      const labels = element instanceof HTMLInputElement ? (element.labels?.length ?? 0) : 0;
      return labels === 0 && !element.textContent?.trim() && !element.getAttribute("aria-label");
    }).length,
  );
  assert.equal(nameless, 0);
  const levels = await page.$$eval("h1, h2, h3, h4", (headings) => headings.map(({ tagName }) => Number(tagName[1])));
  assert.equal(levels[0], 1);
  levels.forEach((level, place) => assert.ok(level <= (levels[place - 1] ?? 0) + 1, `heading ${place}`));
});
