// A browser without a window, and a server with a page for it.
//
//   ONEFOLD_BROWSER  the program to start, a Chromium or Chrome; the one in node_modules if left out (Linux on x86-64)

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import puppeteer, { type Browser } from "puppeteer-core";

/** This folder, seen from build/browser/. */
const HERE = new URL("../../", import.meta.url);

/** Starts the browser. It finds this machine and nothing else. */
export async function startBrowser(): Promise<Browser> {
  const unpacked = fileURLToPath(new URL("node_modules/@sparticuz/chromium/unpacked/", HERE));
  const own = process.env["ONEFOLD_BROWSER"];
  const libraries = { LD_LIBRARY_PATH: `${unpacked}al2023/lib`, FONTCONFIG_FILE: `${unpacked}fonts.conf` };
  return puppeteer.launch({
    executablePath: own ?? `${unpacked}chromium`,
    env: own === undefined ? { ...process.env, ...libraries } : process.env,
    headless: own === undefined ? "shell" : true,
    args: [
      // No name and no address but these leads anywhere.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1",
      "--disable-background-networking",
      "--disable-gpu",
      // The sandbox needs rights that containers rarely give; the pages are our own.
      "--no-sandbox",
    ],
    pipe: true,
  });
}

/** A page in a context of its own, and what the browser complains about there. */
export async function watchedPage(browser: Browser) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

/** A page: where its script begins, from this folder; what transforms it; and what is around it. */
export type Source = { readonly entry: string; readonly plugins?: Plugin[]; readonly html: string };

/** Serves a page at an origin of its own: the one with the generated client, if no other one. It calls `service`, with `token` where it has no sign-in of its own. */
export async function startPage({ entry, plugins = [], html }: Source = SESSION) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, HERE))],
    absWorkingDir: fileURLToPath(HERE),
    bundle: true,
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    format: "esm",
    jsx: "automatic",
    platform: "browser",
    plugins,
    target: "es2022",
    logLevel: "error",
    write: false,
  });
  const script = outputFiles[0]?.contents ?? "";
  const site = { url: "", service: "", token: "", stop: () => {} };
  const server = createServer((request, response) => {
    // What a careful page allows itself: no script but its own, no evaluated text.
    response.setHeader("content-security-policy", "default-src 'none'; script-src 'self'; connect-src http://localhost:*");
    const isScript = request.url === "/main.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.end(isScript ? script : html.replace("SERVICE", site.service).replace("TOKEN", site.token));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  site.url = `http://localhost:${(server.address() as AddressInfo).port}`;
  site.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return site;
}

/** The page with the generated client. */
const SESSION: Source = {
  entry: "page/main.ts",
  html: `<!doctype html>
<html lang="en">
<title>Onefold</title>
<meta name="service" content="SERVICE">
<form>
  <label>E-mail <input name="email" type="email" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Sign in</button>
</form>
<p id="who"></p>
<p id="said"></p>
<button id="read">Read</button>
<button id="write">Write</button>
<button id="out">Sign out</button>
<button id="register">Register</button>
<button id="confirm">Confirm with the password</button>
<button id="choose">Choose a password</button>
<script type="module" src="/main.js"></script>
`,
};
