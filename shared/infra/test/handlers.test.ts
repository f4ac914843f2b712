/** The functions of the infrastructure itself, called as AWS calls them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { ADDRESS_HEADER } from "../src/environment.js";
import { handlerSource } from "../src/small-function.js";
import { type Json, ROOT } from "./support.js";

/** Lambda's limit for code in a template. */
const MAX_INLINE = 4096;
const require = createRequire(import.meta.url);

/** Loads a handler with an environment, and with a stand-in for the AWS SDK. */
function load(name: string, env: Record<string, string>, secret = "", log: (line: string) => void = () => {}): (event: Json) => Promise<Json> {
  const sdk = {
    SecretsManagerClient: class {
      async send(command: { input: { SecretId: string } }): Promise<Json> {
        assert.equal(command.input.SecretId, "the-secret");
        return { SecretString: secret };
      }
    },
    GetSecretValueCommand: class {
      constructor(readonly input: Json) {}
    },
  };
  const exports: Json = {};
  const resolve = (module: string): unknown => (module.startsWith("@aws-sdk/") ? sdk : require(module));
  runInNewContext(handlerSource(name), { exports, require: resolve, process: { env }, URL, console: { log } });
  return exports.handler;
}

const request = (method: string, rawPath: string, headers: Json = {}): Json => ({
  rawPath,
  headers,
  requestContext: { requestId: "r1", http: { method } },
});

describe("unknown routes", () => {
  const answer = load("unknown-route", {});

  it("fit into a template", () => {
    assert.ok(handlerSource("unknown-route").length <= MAX_INLINE);
    assert.ok(handlerSource("from-front").length <= MAX_INLINE);
  });

  it("are logged with the network that asked, and never with a whole address or path", async () => {
    const lines: Json[] = [];
    const note = (line: string): unknown => lines.push(JSON.parse(line));
    const ask = async (sourceIp: string, front?: string) => {
      const asking = load("unknown-route", front === undefined ? {} : { ONEFOLD_ADDRESS_HEADER: ADDRESS_HEADER }, "", note);
      const { headers, requestContext, rawPath } = request("GET", "/private/path", front === undefined ? {} : { [ADDRESS_HEADER]: front });
      await asking({ rawPath, headers, requestContext: { ...requestContext, http: { method: "GET", sourceIp } } });
      return lines.at(-1).network;
    };
    assert.equal(await ask("192.0.2.7"), "192.0.2.0/24");
    assert.equal(await ask("198.51.100.1", "203.0.113.7"), "203.0.113.0/24", "behind a front, what the front says");
    // The same as functions are held to, in shared/runtime/src/web.rs.
    for (const [address, network] of JSON.parse(readFileSync(join(ROOT, "shared/runtime/fixtures/networks.json"), "utf8")) as [string, string | null][]) {
      assert.equal((await ask(address)) ?? null, network, address);
    }
    assert.deepEqual(lines[0], { level: "INFO", message: "nothing here", status: 404, request_id: "r1", network: "192.0.2.0/24" });
  });

  it("are answered in the form that the official client reads", async () => {
    const response = await answer(request("GET", "/trpc/orders.burn"));
    assert.equal(response.statusCode, 404);
    assert.equal(response.headers["content-type"], "application/json");
    assert.equal(response.headers["cache-control"], "no-store");
    assert.equal(response.headers["x-request-id"], "r1");
    assert.deepEqual(JSON.parse(response.body), {
      error: {
        message: 'There is no procedure "orders.burn".',
        code: -32004,
        data: { code: "NOT_FOUND", httpStatus: 404, path: "orders.burn", requestId: "r1" },
      },
    });
  });

  it("are problems outside of /trpc/, as in REST", async () => {
    const instances = [["/", "/"], ["/trpc", "/trpc"], ["/v1/orders/", "/v1/orders/"], ["/soap/", "/soap/"], ["/v1/a b?c", "/v1/a%20b%3Fc"], ["/v1/\ud800x", "/v1/%EF%BF%BDx"]];
    for (const [path, instance] of instances as [string, string][]) {
      const response = await answer(request("GET", path));
      assert.deepEqual([response.statusCode, response.headers["content-type"], response.headers.vary], [404, "application/problem+json", "accept"]);
      const expected = { type: "about:blank", title: "Not Found", status: 404, detail: "There is nothing here.", instance, code: "NOT_FOUND", requestId: "r1" };
      assert.deepEqual(JSON.parse(response.body), expected);
    }
    assert.equal((await answer(request("GET", "/trpc/"))).headers["content-type"], "application/json");
  });

  it("have no methods that OPTIONS could tell, and yet a page may read that there is nothing", async () => {
    const asked = { origin: "https://a.example.com", "access-control-request-method": "PATCH" };
    for (const [path, methods] of [["/v1/orders/", /PATCH/], ["/trpc/x.y", /^GET, HEAD, POST$/]] as const) {
      const plain = await answer(request("OPTIONS", path));
      assert.deepEqual([plain.statusCode, plain.headers.allow], [404, undefined], path);
      const preflight = await answer(request("OPTIONS", path, asked));
      assert.deepEqual([preflight.statusCode, preflight.headers.allow], [204, undefined], path);
      assert.match(preflight.headers["access-control-allow-methods"], methods);
    }
  });

  it("may be read by any page, an error as well as a preflight", async () => {
    const asked = { "access-control-request-method": "GET", "access-control-request-headers": "authorization" };
    const headers = { origin: "https://a.example.com", ...asked };
    const preflight = await answer(request("OPTIONS", "/trpc/x.y", headers));
    assert.equal(preflight.statusCode, 204);
    assert.equal(preflight.headers["access-control-allow-origin"], "*");
    assert.equal(preflight.headers["access-control-allow-headers"], "authorization");
    const failure = await answer(request("GET", "/trpc/x.y", headers));
    assert.equal(failure.headers["access-control-allow-origin"], "*");
    assert.equal(failure.headers["access-control-expose-headers"], "x-request-id, x-csrf-token, onefold-renew, retry-after, www-authenticate, allow, accept, accept-encoding, accept-patch, accept-post, etag, link, location");
    assert.equal(failure.headers["access-control-allow-credentials"], undefined);
    assert.doesNotMatch(failure.headers.vary, /origin/);
  });

  it("may be read by the stage's pages only, when it names them", async () => {
    const some = load("unknown-route", { ONEFOLD_ALLOWED_ORIGINS: "https://a.example.com,https://b.example.com" });
    const from = async (origin: string): Promise<Json> => (await some(request("GET", "/trpc/x.y", { origin }))).headers;
    assert.equal((await from("https://b.example.com"))["access-control-allow-origin"], "https://b.example.com");
    assert.equal((await from("https://c.example.com"))["access-control-allow-origin"], undefined);
    assert.match((await from("https://c.example.com")).vary, /origin/);
  });
});

describe("unknown routes, called with a cookie", () => {
  const env = { ONEFOLD_URL: "https://api.example.com", ONEFOLD_APP_URL: "https://app.example.com/in" };
  const from = async (origin: string, more = {}): Promise<Json> =>
    (await load("unknown-route", { ...env, ...more })(request("GET", "/trpc/x.y", { origin }))).headers;

  it("may be read by the service's own pages, whatever other origins there are", async () => {
    for (const more of [{}, { ONEFOLD_ALLOWED_ORIGINS: "https://b.example.com" }]) {
      for (const origin of ["https://api.example.com", "https://app.example.com"]) {
        const headers = await from(origin, more);
        assert.equal(headers["access-control-allow-origin"], origin);
        assert.equal(headers["access-control-allow-credentials"], "true");
        assert.match(headers.vary, /origin/);
      }
    }
  });

  it("may be read by no other page", async () => {
    for (const origin of ["https://evil.example", "https://api.example.com.evil.example", "null"]) {
      const headers = await from(origin);
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.equal(headers["access-control-allow-credentials"], undefined);
    }
  });
});

describe("the viewer's address", () => {
  it("is what CloudFront knows, whatever the caller says", () => {
    const context: Json = {};
    runInNewContext(handlerSource("viewer-address"), context);
    const said = { "x-viewer-address": { value: "10.0.0.1", multiValue: [{ value: "10.0.0.1" }, { value: "10.0.0.2" }] } };
    const { headers } = context.handler({ viewer: { ip: "2001:db8::7" }, request: { headers: { ...said, accept: { value: "*/*" } } } });
    assert.equal(JSON.stringify(headers), JSON.stringify({ [ADDRESS_HEADER]: { value: "2001:db8::7" }, accept: { value: "*/*" } }));
  });
});

describe("the front's secret", () => {
  const check = load("from-front", { SECRET_ARN: "the-secret" }, "s3cret");
  const admitted = async (headers: Json): Promise<boolean> => (await check({ headers })).isAuthorized;

  it("admits who shows it, and nobody else", async () => {
    assert.equal(await admitted({ "x-origin-secret": "s3cret" }), true);
    assert.equal(await admitted({ "x-origin-secret": "s3creT" }), false);
    assert.equal(await admitted({ "x-origin-secret": "" }), false);
    assert.equal(await admitted({}), false);
  });
});

describe("the frontend's router", () => {
  const context: Json = {};
  runInNewContext(handlerSource("single-page"), context);
  const served = (uri: string): string => context.handler({ request: { uri } }).uri;

  it("has files served as they are, and addresses by the one page", () => {
    assert.equal(served("/assets/app.3f2a.js"), "/assets/app.3f2a.js");
    assert.equal(served("/orders/1.2/edit"), "/index.html");
    assert.equal(served("/orders/"), "/index.html");
    assert.equal(served("/"), "/index.html");
  });
});
