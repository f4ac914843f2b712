// The older adapter for React with the generated types, in a CommonJS package: what is imported here is required.

import assert = require("node:assert/strict");
import nodeTest = require("node:test");
import reactQuery = require("@tanstack/react-query");
import adapter = require("@trpc/react-query");
import testbed = require("@onefold/testbed");

const { test } = nodeTest;
type AppRouter = testbed.AppRouter;

/** A client whose service answers each query with an empty page, and the addresses that it was asked at. */
function given() {
  const asked: string[] = [];
  const fetch = (input: unknown) => {
    asked.push(String(input));
    return Promise.resolve(Response.json({ result: { data: { items: [], next: null } } }));
  };
  return { asked, client: testbed.createClient({ url: "http://service.invalid/trpc", fetch }) };
}

test("the adapter calls through the generated client", async () => {
  const { asked, client } = given();
  const queryClient = new reactQuery.QueryClient();
  const utils = adapter.createTRPCQueryUtils<AppRouter>({ queryClient, client });
  const page = await utils.users.list.fetch({ limit: 2 });
  assert.deepEqual(page, { items: [], next: null });
  assert.deepEqual(asked.map((address) => new URL(address).pathname), ["/trpc/users.list"]);
  assert.deepEqual(utils.users.list.getData({ limit: 2 }), page);
  // @ts-expect-error a plain text is no id
  void (() => utils.users.get.fetch({ id: "01890a5d-ac96-774b-bcce-b302099a8057" }));
});

test("its hooks have the procedures' types", () => {
  const trpc = adapter.createTRPCReact<AppRouter>();
  // Drawn by nobody: the compiler is the test.
  const component = () => {
    const name: string | undefined = trpc.users.list.useQuery({ limit: 2 }).data?.items[0]?.name;
    // @ts-expect-error no such procedure
    trpc.users.find.useQuery();
    return name;
  };
  assert.equal(typeof component, "function");
});

test("what is required is what is imported", async () => {
  const imported = (await import("@onefold/testbed")) as Record<string, unknown>;
  assert.deepEqual(Object.keys(testbed).sort(), Object.keys(imported).filter((name) => name !== "default").sort());
  assert.throws(() => testbed.createSession({ url: "/trpc", fetch: undefined }).fetch("/trpc"), TypeError);
  const own = require("@onefold/testbed/package.json") as { name: string };
  assert.equal(own.name, "@onefold/testbed");
});
