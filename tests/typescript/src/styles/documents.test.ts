// The documents, as tools of others judge them: the linters that most people run, with their recommended rules, and what
// generators of code need besides.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BINDINGS, ROOT, startHere, startProgram, type Service } from "../service.js";

let service: Service;
let conformance: Awaited<ReturnType<typeof startProgram>>;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "onefold-documents-"));
  service = await startHere();
  const program = process.env["ONEFOLD_CONFORMANCE"] ?? join(ROOT, "target/debug/examples/conformance");
  conformance = await startProgram(program, ["--port", "0", "--data", join(folder, "data")]);
});
after(async () => {
  await service.stop();
  await conformance.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A document of each service. */
async function documents(path: string): Promise<{ of: string; text: string }[]> {
  const both = [{ of: "the reference service", at: service.url }, { of: "the second service", at: conformance.url }];
  return Promise.all(both.map(async ({ of, at }) => ({ of, text: await (await fetch(new URL(path, at))).text() })));
}

/** Runs a linter of tests/typescript/documents; answers what it prints. */
function linter(name: string, parameters: string[]): { status: number | null; said: string } {
  const command = join(ROOT, "tests/typescript/documents/node_modules/.bin", name);
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd: folder, env, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
}

test("Redocly's recommended rules are kept", async () => {
  for (const { of, text } of await documents("/openapi.json")) {
    writeFileSync(join(folder, "openapi.json"), text);
    const { status, said } = linter("redocly", ["lint", "openapi.json", "--extends", "recommended", "--format", "json"]);
    const { totals } = JSON.parse(said.slice(said.indexOf("{"), said.lastIndexOf("}") + 1)) as { totals: object };
    assert.deepEqual([status, totals], [0, { errors: 0, warnings: 0, ignored: 0 }], `${of}: ${said}`);
  }
});

test("Spectral's recommended rules are kept", async () => {
  writeFileSync(join(folder, "spectral.json"), '{ "extends": ["spectral:oas"] }');
  for (const { of, text } of await documents("/openapi.json")) {
    writeFileSync(join(folder, "openapi.json"), text);
    const { status, said } = linter("spectral", ["lint", "openapi.json", "--ruleset", "spectral.json", "--fail-severity", "hint"]);
    assert.equal(status, 0, `${of}: ${said}`);
  }
});

type Schema = { [keyword: string]: unknown };
/** Where schemas stand in a schema, other than by their own name. */
const PARTS = ["oneOf", "anyOf", "allOf", "prefixItems", "items", "additionalProperties", "properties", "patternProperties"];

/** A schema with all that is written out in it. */
function* within(schema: unknown, at: string): Generator<[string, Schema]> {
  if (typeof schema !== "object" || schema === null) return;
  yield [at, schema as Schema];
  for (const part of PARTS) {
    const found = (schema as Schema)[part];
    const isOne = part === "items" || part === "additionalProperties";
    for (const [name, one] of isOne ? [["", found]] : Object.entries(found ?? {})) yield* within(one, `${at}/${part}/${name}`);
  }
}

/** All schemas of a document: what `schema` and `schemas` hold, or `input`, `output` and the types of a contract. */
function* schemas(value: unknown, at = ""): Generator<[string, Schema]> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const here = `${at}/${name}`;
    if (name === "example" || name === "examples") continue;
    if (["schemas", "inputTypes", "outputTypes"].includes(name)) {
      for (const [type, schema] of Object.entries(member as object)) yield* within(schema, `${here}/${type}`);
    } else if (["schema", "input", "output"].includes(name)) yield* within(member, here);
    else yield* schemas(member, here);
  }
}

const isReference = (schema: Schema) => "$ref" in schema && !("properties" in schema);

for (const path of ["/openapi.json", "/openrpc.json"]) {
  test(`${path}: each schema has a title, an enumeration and a constant have a type`, async () => {
    for (const { of, text } of await documents(path)) {
      let count = 0;
      for (const [at, schema] of schemas(JSON.parse(text))) {
        const where = `${of}: ${at}: ${JSON.stringify(schema)}`;
        // What the headers of answers are is no type of anybody's.
        if (!isReference(schema) && !at.startsWith("/components/headers") && !at.startsWith("/components/parameters")) {
          assert.equal(typeof schema["title"], "string", where);
        }
        expectPlain(schema, where);
        count++;
      }
      assert.ok(count > 60, `${of}: there are ${count}`);
    }
  });
}

/** Of the forms that say the same, the one that most generators read. */
function expectPlain(schema: Schema, where: string): void {
  if ("enum" in schema || "const" in schema) assert.equal(typeof schema["type"], "string", where);
  const branches = (schema["oneOf"] ?? schema["anyOf"] ?? []) as Schema[];
  assert.ok(branches.length === 0 || !branches.every((branch) => "const" in branch), where);
  const [values, docs] = [schema["enum"], schema["x-enumDescriptions"]];
  if (docs !== undefined) assert.ok(Object.keys(docs as object).every((value) => (values as string[]).includes(value)), where);
}

test("the contract has the same forms, and named types have their names", async () => {
  const { default: contract } = (await import("@onefold/testbed/contract.json", { with: { type: "json" } })) as unknown as {
    default: { inputTypes: object; outputTypes: object };
  };
  for (const [at, schema] of schemas(contract)) expectPlain(schema, at);
  for (const types of [contract.inputTypes, contract.outputTypes]) {
    for (const [name, schema] of Object.entries(types)) assert.equal((schema as Schema)["title"], name);
  }
});

test("a page is named after what it lists, in each document", async () => {
  for (const path of ["/openapi.json", "/openrpc.json", "/soap?wsdl"]) {
    const [{ text } = { text: "" }] = await documents(path);
    assert.match(text, /"UserPage"/, path);
    assert.doesNotMatch(text, /"Page\d*"/, path);
  }
});

type Described = {
  info: { description?: string; license?: { name?: string }; contact?: { name?: string } };
  tags: { name: string; description?: string }[];
};

test("documents say whose the service is, and what each domain is about", async () => {
  for (const path of ["/openapi.json", "/openrpc.json"]) {
    const [{ text } = { text: "" }] = await documents(path);
    const { info, tags = [] } = JSON.parse(text) as Described;
    assert.ok(info.description && info.license?.name && info.contact?.name, path);
    for (const { name, description } of tags) assert.ok(description, `${path}: ${name}`);
  }
});

/** A package as npm publishes it: what is in `files`, and no more. */
function published(source: string): string {
  const at = mkdtempSync(join(folder, "package-"));
  const { files } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as { files: string[] };
  for (const file of [...files, "package.json"]) cpSync(join(source, file), join(at, file), { recursive: true });
  return at;
}

for (const [name, source] of [["the service's package", BINDINGS], ["the framework's client", join(ROOT, "shared/client")]] as const) {
  test(`${name}: types are found from every kind of program (attw)`, () => {
    const { status, said } = linter("attw", ["--pack", published(source), "--no-emoji", "--no-color"]);
    assert.equal(status, 0, said);
  });

  test(`${name}: the manifest says what is so (publint)`, () => {
    const { status, said } = linter("publint", [published(source), "--strict"]);
    assert.equal(status, 0, said);
    assert.match(said, /All good!/);
  });
}
