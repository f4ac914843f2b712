// Apollo Client, as pages use it: queries that its cache keeps, a list that grows page by page, a mutation that fails, and
// one that changes what the cache shows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startService, type Service } from "../service.js";

type Result<T> = { data?: T; error?: unknown };
type Ask = { query?: object; mutation?: object; variables?: object; fetchPolicy?: "cache-only" };
type Watched<T> = {
  subscribe(next: () => void): { unsubscribe(): void };
  refetch(): Promise<Result<T>>;
  fetchMore(options: { variables: object }): Promise<Result<T>>;
};
type Client = { query<T>(ask: Ask): Promise<Result<T>>; mutate<T>(ask: Ask): Promise<Result<T>>; watchQuery<T>(ask: Ask): Watched<T> };
type Apollo = {
  ApolloClient: new (options: object) => Client;
  HttpLink: new (options: object) => object;
  InMemoryCache: new (options: object) => object;
  gql(text: TemplateStringsArray): object;
};

// Its declarations do not compile where all of them are checked, as they are here: what is used of it is declared above.
const named = (name: string) => import(name) as Promise<unknown>;
const { ApolloClient, gql, HttpLink, InMemoryCache } = (await named("@apollo/client")) as Apollo;
const { relayStylePagination } = (await named("@apollo/client/utilities")) as { relayStylePagination(keys: string[]): object };

let service: Service;
let asked = 0;
let client: Client;

before(async () => {
  service = await startService();
  const headers = { authorization: `Bearer ${service.administrator}` };
  const counting: typeof fetch = (input, init) => ((asked += 1), fetch(input, init));
  client = new ApolloClient({
    link: new HttpLink({ uri: new URL("/graphql", service.url).href, headers, fetch: counting }),
    // What can be a failure: a page makes that from the schema when it is built.
    cache: new InMemoryCache({ possibleTypes: { Failure: ["UsersCreateEmailTaken"] }, typePolicies: { Query: { fields: { usersList: relayStylePagination(["age"]) } } } }),
  });
});
after(() => service.stop());

type User = { __typename: string; id: string; name: string };
type Created = { usersCreate: User & { message?: string } };
type List = { usersList: { edges: { node: User }[]; pageInfo: { endCursor: string | null; hasNextPage: boolean } } };

const CREATE = gql`
  mutation Create($input: UsersCreateInput!) {
    usersCreate(input: $input) {
      __typename
      ... on User { id name }
      ... on Failure { message }
    }
  }
`;
const LIST = gql`
  query List($first: Int, $after: String, $age: Int) {
    usersList(first: $first, after: $after, age: $age) {
      edges { node { __typename id name } }
      pageInfo { endCursor hasNextPage }
    }
  }
`;

let count = 0;
async function create(name: string, age?: number): Promise<User> {
  const variables = { input: { email: `apollo.${(count += 1)}@example.com`, name, age } };
  const { data } = await client.mutate<Created>({ mutation: CREATE, variables });
  return data?.usersCreate ?? assert.fail("nothing was created");
}

test("a query is asked once, and a mutation changes what the cache shows", async () => {
  const { id } = await create("Ada");
  const query = gql`query One($id: UserId!) { usersGet(id: $id) { __typename ... on User { id name version } } }`;
  const one = () => client.query<{ usersGet: User & { version: number } }>({ query, variables: { id } });
  const { data } = await one();
  const before = asked;
  assert.equal((await one()).data?.usersGet.name, "Ada");
  assert.equal(asked, before, "the cache answers");
  const mutation = gql`mutation Rename($id: UserId!) { usersUpdate(input: { id: $id, name: "Countess" }) { __typename ... on User { id name version } } }`;
  await client.mutate({ mutation, variables: { id } });
  const now = (await one()).data?.usersGet;
  assert.deepEqual([now?.name, now?.version], ["Countess", (data?.usersGet.version ?? 0) + 1]);
  assert.equal(asked, before + 1, "the cache knows it from the mutation");
});

test("a failure of the procedure's own is data with a type", async () => {
  const variables = { input: { email: "apollo.twice@example.com", name: "Eve" } };
  await client.mutate<Created>({ mutation: CREATE, variables });
  const { data, error } = await client.mutate<Created>({ mutation: CREATE, variables });
  assert.equal(error, undefined);
  assert.equal(data?.usersCreate.__typename, "UsersCreateEmailTaken");
  assert.equal(data.usersCreate.message, "Another user has this e-mail address.");
});

test("a list grows page by page", async () => {
  for (let made = 0; made < 5; made += 1) await create(`Page ${made}`, 99);
  const variables = { first: 2, age: 99 };
  const list = client.watchQuery<List>({ query: LIST, variables });
  const subscription = list.subscribe(() => {});
  let { data } = await list.refetch();
  for (let pages = 1; data?.usersList.pageInfo.hasNextPage === true; pages += 1) {
    assert.ok(pages < 4, "there is no end");
    ({ data } = await list.fetchMore({ variables: { after: data.usersList.pageInfo.endCursor } }));
  }
  const { data: whole } = await client.query<List>({ query: LIST, variables, fetchPolicy: "cache-only" });
  const names = whole?.usersList.edges.map(({ node }) => node.name).sort();
  assert.deepEqual(names, [0, 1, 2, 3, 4].map((place) => `Page ${place}`));
  subscription.unsubscribe();
});
