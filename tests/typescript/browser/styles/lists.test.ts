// Lists in pages of others' clients: each shows the first page of one, and goes on to its end when a button is pressed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient } from "@onefold/testbed";
import type { Plugin } from "esbuild";
import type { Browser } from "puppeteer-core";
import { ROOT, startService, type Service } from "../../src/service.js";
import { startBrowser, startPage, watchedPage, type Source } from "../browser.js";

const RELAY = join(ROOT, "tests/typescript/relay");
/** Where its configuration wants what its compiler writes. */
const ARTIFACTS = join(RELAY, "page/build");
const TITLES = ["One", "Two", "Three", "Four", "Five"];
const HTML = `<!doctype html>
<html lang="en">
<title>Posts</title>
<meta name="service" content="SERVICE">
<meta name="token" content="TOKEN">
<main></main>
<script type="module" src="/main.js"></script>
`;

/** What Relay's documentation has its users do: its compiler writes the queries, its plugin for Babel puts them in. */
function relay(): Plugin {
  const of = createRequire(join(RELAY, "package.json"));
  mkdirSync(ARTIFACTS, { recursive: true });
  const compiler = spawnSync(process.execPath, [of.resolve("relay-compiler/cli.js")], { cwd: RELAY, encoding: "utf8" });
  assert.equal(compiler.status, 0, compiler.stdout + compiler.stderr);
  const babel = of("@babel/core") as { transformFileAsync(path: string, options: object): Promise<{ code: string }> };
  const options = {
    babelrc: false,
    configFile: false,
    parserOpts: { plugins: ["jsx"] },
    plugins: [[of.resolve("babel-plugin-relay"), { eagerEsModules: true, artifactDirectory: ARTIFACTS }]],
  };
  return {
    name: "relay",
    setup: (build) =>
      build.onLoad({ filter: /page\/main\.jsx$/ }, async ({ path }) => ({
        contents: (await babel.transformFileAsync(path, options)).code,
        loader: "jsx",
      })),
  };
}

const PAGES: Record<string, () => Source> = {
  "Relay": () => ({ entry: "../relay/page/main.jsx", plugins: [relay()], html: HTML }),
  "TanStack Query": () => ({ entry: "../tanstack/page/main.tsx", html: HTML }),
};

let service: Service;
let browser: Browser;
before(async () => {
  [service, browser] = await Promise.all([startService(), startBrowser()]);
  const client = createClient({ url: service.url, token: service.administrator });
  for (const title of TITLES) await client.posts.create.mutate({ title, body: "Text." });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

for (const [name, source] of Object.entries(PAGES)) {
  test(`${name}: a list is shown, and goes on to its end`, async () => {
    const site = await startPage(source());
    site.service = service.url.replace("127.0.0.1", "localhost");
    site.token = service.administrator;
    const { context, page, complaints } = await watchedPage(browser);
    try {
      await page.goto(site.url);
      for (const count of [2, 4, 5]) {
        const titles = await page.waitForFunction(
          (count) => {
            const items = [...document.querySelectorAll("li")].map(({ textContent }) => textContent);
            return items.length >= count && items;
          },
          {},
          count,
        );
        assert.deepEqual(await titles.jsonValue(), TITLES.slice(0, count));
        if (count < TITLES.length) await (await page.waitForSelector("button:enabled"))?.click();
      }
      assert.equal(await page.$eval("#end", (end) => end.textContent), "That is all.");
      assert.equal(await page.$("button"), null);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
      site.stop();
    }
  });
}
