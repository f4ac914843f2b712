// GraphQL, as its clients and its tools see it: the audits of `graphql-http`, urql, and the reference implementation's
// reading of the schema.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createClient } from "@onefold/testbed";
import { Client, fetchExchange, gql, type AnyVariables, type DocumentInput } from "@urql/core";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  lexicographicSortSchema,
  printSchema,
  validateSchema,
  type GraphQLSchema,
  type IntrospectionQuery,
} from "graphql";
import { serverAudits } from "graphql-http";
import { BINDINGS, startService, type Service } from "../service.js";

/** What the specification only recommends and is not done here, with the reason. This list only shrinks. */
const NOT_DONE: Readonly<Record<string, string>> = {};

let service: Service;
let url: string;
let client: Client;

before(async () => {
  service = await startService();
  url = new URL("/graphql", service.url).href;
  client = new Client({
    url,
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${service.administrator}` } },
  });
});
after(() => service.stop());

/** Posts to the endpoint as an administrator. */
async function post(body: unknown): Promise<{ status: number; answer: Answer }> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${service.administrator}` };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, answer: (await response.json()) as Answer };
}

type Answer = {
  data?: Record<string, unknown>;
  errors?: { message: string; extensions: { code: string } }[];
};

/** What urql gives, which must be no error. */
async function data<T, V extends AnyVariables>(document: DocumentInput<T, V>, variables: V): Promise<T> {
  const { data, error } = await client.query(document, variables).toPromise();
  assert.equal(error, undefined);
  return data ?? assert.fail("no data");
}

async function mutated<T, V extends AnyVariables>(document: DocumentInput<T, V>, variables: V): Promise<T> {
  const { data, error } = await client.mutation(document, variables).toPromise();
  assert.equal(error, undefined);
  return data ?? assert.fail("no data");
}

type Outcome = { __typename: string; id?: string; value?: string; message?: string; code?: string };

const CREATE = gql<{ usersCreate: Outcome }, { input: object }>`
  mutation Create($input: UsersCreateInput!) {
    usersCreate(input: $input) {
      __typename
      ... on User { id }
      ... on Failure { message code }
      ... on UsersCreateEmailTaken { value }
    }
  }
`;

const address = () => `${crypto.randomUUID()}@example.com`;

describe("the specification GraphQL over HTTP", () => {
  test("every MUST holds, and every SHOULD that is not on the list", async () => {
    const results = await Promise.all(serverAudits({ url: () => url }).map((audit) => audit.fn()));
    const failed = results.filter(({ status }) => status !== "ok");
    const told = failed.map((result) => `${result.status} ${result.id} ${result.name}: ${"reason" in result ? result.reason : ""}`);
    assert.deepEqual(failed.filter(({ status }) => status === "error"), [], told.join("\n"));
    const warned = failed.filter(({ name }) => !name.startsWith("MAY")).map(({ id }) => id);
    assert.deepEqual(warned.sort(), Object.keys(NOT_DONE).sort(), told.join("\n"));
    assert.ok(results.length > 50);
  });
});

describe("the schema", () => {
  const sorted = (schema: GraphQLSchema) => printSchema(lexicographicSortSchema(schema));

  test("introspection tells what the bindings hold, and it is a valid schema", async () => {
    const options = { specifiedByUrl: true, oneOf: true, directiveIsRepeatable: true };
    const { answer } = await post({ query: getIntrospectionQuery(options) });
    assert.equal(answer.errors, undefined);
    const told = buildClientSchema(answer.data as unknown as IntrospectionQuery);
    assert.deepEqual(validateSchema(told), []);
    const printed = buildSchema(readFileSync(join(BINDINGS, "schema.graphql"), "utf8"));
    assert.deepEqual(validateSchema(printed), []);
    assert.equal(sorted(told), sorted(printed));
  });
});

describe("urql", () => {
  test("queries follow what ids name", async () => {
    const trpc = createClient({ url: service.url, token: service.administrator });
    const { usersCreate } = await mutated(CREATE, { input: { email: address(), name: "Ada", age: 36 } });
    assert.equal(usersCreate.__typename, "User");
    const author = createClient({ url: service.url, token: service.token("employee", usersCreate.id) });
    const { id } = await author.posts.create.mutate({ title: "Lunch", body: "At noon." });
    const read = gql<
      {
        postsGet: { __typename: string; title: string; author: { name: string; age: number; role: string } };
        postsList: { nodes: { author: { name: string } | null }[]; edges: { cursor: string | null }[] };
      },
      { id: string; first: number }
    >`
      query Read($id: PostId!, $first: Int) {
        postsGet(id: $id) { __typename ... on Post { title author { name age role } } }
        postsList(first: $first, sort: CREATED_AT_DESC) { nodes { author { name } } edges { cursor } }
      }
    `;
    const found = await data(read, { id, first: 1 });
    assert.deepEqual(found.postsGet.author, { name: "Ada", age: 36, role: "GUEST" });
    assert.equal(found.postsList.nodes[0]?.author?.name, "Ada");
    assert.equal((await trpc.posts.get.query({ id })).title, found.postsGet.title);
  });

  test("pages go on where the one before ended", async () => {
    for (let count = 0; count < 3; count++) await mutated(CREATE, { input: { email: address(), name: "Page" } });
    type Page = { usersList: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } };
    const list = gql<Page, { after: string | null }>`
      query List($after: String) {
        usersList(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
      }
    `;
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const { usersList }: Page = await data(list, { after: next });
      seen.push(...usersList.nodes.map(({ id }) => id));
      assert.equal(usersList.pageInfo.hasNextPage, usersList.pageInfo.endCursor !== null);
      next = usersList.pageInfo.endCursor;
    } while (next !== null);
    assert.ok(seen.length >= 3 && new Set(seen).size === seen.length);
  });

  test("a failure is a type of its own, and any other fault an error with a code", async () => {
    const email = address();
    await mutated(CREATE, { input: { email, name: "Ada" } });
    const { usersCreate } = await mutated(CREATE, { input: { email, name: "Eve" } });
    assert.equal(usersCreate.__typename, "UsersCreateEmailTaken");
    assert.deepEqual([usersCreate.value, usersCreate.code], [email, "CONFLICT"]);
    const { error, data } = await client.mutation(CREATE, { input: { email: "nonsense", name: "" } }).toPromise();
    assert.deepEqual(data, { usersCreate: null });
    const extensions = error?.graphQLErrors[0]?.extensions;
    assert.equal(extensions?.["code"], "BAD_REQUEST");
    assert.deepEqual((extensions["fields"] as { path: string }[]).map(({ path }) => path), ["email", "name"]);
  });
});

describe("persisted queries, as Apollo's clients speak of them", () => {
  const query = "query Ping { healthPing }";
  const sha256Hash = createHash("sha256").update(query).digest("hex");
  const extensions = { persistedQuery: { version: 1, sha256Hash } };

  test("what is not known is asked for, and known from then on", async () => {
    const { answer: unknown } = await post({ operationName: "Ping", extensions });
    assert.equal(unknown.errors?.[0]?.message, "PersistedQueryNotFound");
    assert.equal(unknown.errors[0].extensions.code, "PERSISTED_QUERY_NOT_FOUND");
    assert.deepEqual((await post({ query, extensions })).answer, { data: { healthPing: "pong" } });
    const address = new URL(url);
    address.searchParams.set("extensions", JSON.stringify(extensions));
    assert.deepEqual(await (await fetch(address)).json(), { data: { healthPing: "pong" } });
    const other = { persistedQuery: { version: 1, sha256Hash: sha256Hash.replace(/^./, "g") } };
    assert.equal((await post({ query, extensions: other })).answer.errors?.[0]?.extensions.code, "BAD_REQUEST");
  });
});
