// The examples among the bindings, as somebody copies them: each is of the right form, and reaches its procedure.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { BINDINGS, startService, type Service } from "../service.js";

let service: Service;
let url: string;
before(async () => {
  service = await startService();
  url = new URL(service.url).origin;
});
after(() => service.stop());

type Example = { procedure: string; style: string; text: string };

/** The examples for the shell. */
function examples(): Example[] {
  const text = readFileSync(join(BINDINGS, "examples.md"), "utf8");
  return text.split(/^## /m).slice(1).flatMap((section) => {
    const procedure = section.slice(0, section.indexOf("\n"));
    const blocks = [...section.matchAll(/^([\w-]+):\n\n```sh\n([^]*?)\n```/gm)];
    return blocks.map(([, style, text]) => ({ procedure, style: style ?? "", text: text ?? "" }));
  });
}

/** What would erase who calls, or wait for mails: the form is the same as elsewhere. */
const LEFT_OUT = new Set(["account.erase"]);

/** Runs an example in a shell; answers status and body. */
async function shell({ text }: Example): Promise<{ status: number; body: string }> {
  const env = { ...process.env, URL: url, TOKEN: service.administrator };
  const counted = text.replace("curl ", "curl -sS -w '\\n%{http_code}' ");
  const { stdout } = await promisify(execFile)("bash", ["-c", counted], { env });
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

/** What a style says when the call itself was wrong, and not what was asked for. */
const MALFORMED: Record<string, (answer: { status: number; body: string }) => boolean> = {
  REST: ({ status, body }) => [404, 405, 406, 415].includes(status) ? !body.includes('"failure"') : isBadRequest(status, body),
  "JSON-RPC": ({ status, body }) => status !== 200 || /"code":-32(?:700|600|601|602)\b/.test(body),
  // What does not hold against the schema has no `data` (GraphQL, section 7.1).
  GraphQL: ({ status, body }) => status !== 200 || !/"data":/.test(body),
  // An input that cannot be read names no failure.
  SOAP: ({ body }) => !/[:<]Envelope[ >]/.test(body) || (/>BAD_REQUEST</.test(body) && !/notAPath/i.test(body)),
};

/** A procedure's own failure may be a bad request as well; a secret that is made up may be a wrong one. */
function isBadRequest(status: number, body: string): boolean {
  return status >= 500 || (status === 400 && !body.includes('"failure"'));
}

for (const style of Object.keys(MALFORMED)) {
  test(`every example of ${style} reaches its procedure`, async () => {
    const all = examples().filter((example) => example.style === style && !LEFT_OUT.has(example.procedure));
    assert.ok(all.length > 25, `there are ${all.length}`);
    for (const example of all) {
      const answer = await shell(example);
      assert.equal(MALFORMED[style]?.(answer), false, `${example.text}\n${answer.status} ${answer.body}`);
    }
  });
}

/**
 * Failures that say no more than that what is made up leads nowhere: an id, a token, a password; or that it is
 * there already, since the example was sent in another style. Whatever else is wrong is wrong with the document.
 */
const MADE_UP = new Set(["emailTaken", "ended", "missing", "noSession", "notAUser", "notLinked", "notValid", "wrongCredentials"]);

/** Whether what was sent was taken, by REST's answer or by JSON-RPC's. */
async function expectTaken(what: string, answer: Response): Promise<void> {
  type Said = { failure?: { type: string }; error?: { data?: { failure?: { type: string } } } };
  const text = await answer.text();
  const { failure, error } = (text === "" ? {} : JSON.parse(text)) as Said;
  const { type } = failure ?? error?.data?.failure ?? {};
  const isGood = answer.ok && error === undefined;
  assert.ok(isGood || (type !== undefined && MADE_UP.has(type)), `${what}: ${text}`);
}

/** A service that nobody has called: what is counted begins anew. */
async function anew(): Promise<void> {
  await service.stop();
  service = await startService();
  url = new URL(service.url).origin;
}

type Media = { example?: unknown; examples?: Record<string, { value: unknown }> };
type Parameter = { $ref?: string; name: string; in: string; example?: unknown; examples?: unknown; schema?: { example?: unknown } };
type Operation = {
  security: object[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Media> };
};
type OpenApi = { paths: Record<string, Record<string, Operation>>; components: { parameters: Record<string, Parameter> } };

test("every example of the OpenAPI document is taken", async () => {
  await anew();
  const { paths, components } = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
  let count = 0;
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { security, parameters = [], requestBody }] of Object.entries(operations)) {
      const headers = new Headers(security.length === 0 ? {} : { authorization: `Bearer ${service.administrator}` });
      const query = new URLSearchParams();
      let filled = path;
      for (const given of parameters) {
        const parameter = given.$ref === undefined ? given : components.parameters[given.$ref.split("/").at(-1) ?? ""];
        assert.ok(parameter !== undefined && parameter.examples === undefined && parameter.schema?.example === undefined);
        if (parameter.example === undefined) continue;
        const values = [parameter.example].flat().map(String);
        if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(values.join()));
        else if (parameter.in === "query") values.forEach((value) => query.append(parameter.name, value));
        else headers.set(parameter.name, values.join());
      }
      const bodies = Object.entries(requestBody?.content ?? { "": {} });
      for (const [type, { example, examples }] of bodies) {
        assert.equal(examples, undefined, `${method} ${path}: look at all examples`);
        if (type !== "") headers.set("content-type", type);
        const body = example === undefined ? null : JSON.stringify(example);
        const answer = await fetch(`${url}${filled}?${query}`, { method: method.toUpperCase(), headers, body });
        await expectTaken(`${method} ${path}`, answer);
        count++;
      }
    }
  }
  assert.ok(count > 35, `there are ${count}`);
});

type OpenRpc = { methods: { name: string; examples: { params: { name: string; value: unknown }[] }[] }[] };

test("every example of the OpenRPC document is taken", async () => {
  await anew();
  const { methods } = (await (await fetch(`${url}/openrpc.json`)).json()) as OpenRpc;
  assert.ok(methods.length > 35, `there are ${methods.length}`);
  for (const { name, examples } of methods) {
    assert.equal(examples.length, 1, name);
    for (const { params } of examples) {
      const call = { jsonrpc: "2.0", id: 1, method: name, params: Object.fromEntries(params.map(({ name, value }) => [name, value])) };
      const headers = { authorization: `Bearer ${service.administrator}`, "content-type": "application/json" };
      const answer = await fetch(`${url}/jsonrpc`, { method: "POST", headers, body: JSON.stringify(call) });
      await expectTaken(name, answer);
    }
  }
});

type Variable = { key: string; value: string; disabled?: boolean };
type PostmanRequest = {
  method: string;
  header: [];
  auth?: { type: string };
  url: { raw: string; variable: Variable[]; query?: Variable[] };
  body?: { raw: string };
};
type Folder = { name: string; item: { name: string; request: PostmanRequest }[] };

test("the collection of Postman holds every route, with variables for where and who, and is taken", async () => {
  await anew();
  const read = (file: string) => JSON.parse(readFileSync(join(BINDINGS, file), "utf8")) as unknown;
  const { item, variable } = read("postman.json") as { item: Folder[]; variable: Variable[] };
  assert.deepEqual(variable.map(({ key }) => key), ["url", "token"]);
  const { procedures } = read("contract.json") as { procedures: { name: string; rest: string | null }[] };
  const routes = procedures.filter(({ rest }) => rest !== null).map(({ name }) => name);
  const requests = item.flatMap((folder) => folder.item);
  assert.deepEqual(requests.map(({ name }) => name), routes);
  for (const { name, request } of requests) {
    const filled = request.url.variable.reduce((raw, { key, value }) => raw.replace(`:${key}`, encodeURIComponent(value)), request.url.raw);
    const asked = (request.url.query ?? []).filter(({ disabled }) => disabled !== true).map(({ key, value }): [string, string] => [key, value]);
    const answer = await fetch(`${filled.replace("{{url}}", url)}?${new URLSearchParams(asked)}`, {
      method: request.method,
      headers: {
        ...(request.auth?.type === "noauth" ? {} : { authorization: `Bearer ${service.administrator}` }),
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: request.body?.raw ?? null,
    });
    await expectTaken(name, answer);
  }
});
