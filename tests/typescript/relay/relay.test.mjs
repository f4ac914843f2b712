// Relay: its compiler takes `@connection` on every list of the printed schema, and its runtime reads a list to the end.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildSchema, isObjectType, getNullableType } from "graphql";
import relay from "relay-runtime";
import { ROOT, startService } from "../build/service.js";

const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery } = relay;

const HERE = fileURLToPath(new URL("./", import.meta.url));
/** Where the compiler reads and writes. */
const BUILD = join(HERE, "build");
const SDL = readFileSync(join(ROOT, "tests/testbed/bindings/schema.graphql"), "utf8");

/** The lists of the schema: the fields that answer connections. */
const lists = Object.values(buildSchema(SDL).getQueryType().getFields()).filter(({ type }) => {
  const of = getNullableType(type);
  return isObjectType(of) && of.getInterfaces().some(({ name }) => name === "Connection");
});

let service;
before(async () => {
  service = await startService();
  rmSync(BUILD, { recursive: true, force: true });
  mkdirSync(join(BUILD, "src"), { recursive: true });
  mkdirSync(join(BUILD, "artifacts"));
  writeFileSync(join(BUILD, "schema.graphql"), SDL);
  const queries = lists.map(
    ({ name }) => `graphql\`
  query page_${name}_Query($first: Int, $after: String) {
    ${name}(first: $first, after: $after) @connection(key: "page_${name}") {
      edges { node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }\`;`,
  );
  writeFileSync(join(BUILD, "src/page.js"), queries.join("\n").replaceAll(/page_(\w+)_Query/g, "page_$1Query"));
  const config = { src: "./src", schema: "./schema.graphql", language: "javascript", artifactDirectory: "./artifacts", eagerEsModules: true };
  writeFileSync(join(BUILD, "relay.config.json"), JSON.stringify(config));
});
after(() => service.stop());

/** What the compiler made of a list's query. */
const artifact = async (name) => {
  const path = join(BUILD, `artifacts/page_${name}Query.graphql.js`);
  return (await import(pathToFileURL(path).href)).default;
};

async function ask(query, variables) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${service.administrator}` };
  const answer = await fetch(new URL("/graphql", service.url), { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return answer.json();
}

test("the compiler takes every list of the schema for a connection", async () => {
  assert.ok(lists.length > 3);
  const compiler = join(HERE, "node_modules/relay-compiler/cli.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "relay.config.json"], { cwd: BUILD, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  for (const { name } of lists) assert.equal((await artifact(name)).kind, "Request");
});

test("the runtime reads a list to its end, page after page", async () => {
  const titles = ["One", "Two", "Three", "Four", "Five"];
  for (const title of titles) {
    const input = { title, body: "Text." };
    const { errors } = await ask("mutation($input: PostsCreateInput!) { postsCreate(input: $input) { __typename } }", { input });
    assert.equal(errors, undefined);
  }
  const query = await artifact("postsList");
  const infos = [];
  const network = Network.create(async ({ text }, variables) => {
    const answer = await ask(text, variables);
    assert.equal(answer.errors, undefined, JSON.stringify(answer));
    const { edges, pageInfo } = answer.data.postsList;
    infos.push({ ...pageInfo, first: edges[0]?.cursor });
    return answer;
  });
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  const connection = () => environment.lookup(createOperationDescriptor(query, { first: 2 }).fragment).data.postsList;
  environment.retain(createOperationDescriptor(query, { first: 2 }));
  let next = null;
  for (let page = 0; page < 10; page += 1) {
    await fetchQuery(environment, query, { first: 2, after: next }, { fetchPolicy: "network-only" }).toPromise();
    const { hasNextPage, endCursor } = connection().pageInfo;
    if (!hasNextPage) break;
    next = endCursor;
  }
  const read = connection().edges.map(({ node }) => node.id);
  const all = (await ask("{ postsList(first: 100) { nodes { id } } }")).data.postsList.nodes.map(({ id }) => id);
  assert.equal(new Set(read).size, titles.length);
  assert.deepEqual(read, all);
  // By the specification of Cursor Connections: `after` says that there is something before.
  assert.deepEqual(infos.map(({ hasPreviousPage }) => hasPreviousPage), [false, true, true]);
  assert.deepEqual(infos.map(({ hasNextPage }) => hasNextPage), [true, true, false]);
  for (const { startCursor, first } of infos) assert.equal(startCursor, first);
});
