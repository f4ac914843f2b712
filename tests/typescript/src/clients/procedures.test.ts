// Every procedure, with every way it can fail, through the official client and through the package's
// own. The table below has to name them all: a new procedure or a new failure does not compile here
// until it has its test.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import {
  createClient,
  failureOf,
  type AppRouter,
  type Failures,
  type PostId,
  type ProcedureName,
  type User,
  type UserId,
} from "@onefold/backoffice";
import contract from "@onefold/backoffice/contract.json" with { type: "json" };
import { startService, type Service } from "../service.js";

type Client = ReturnType<typeof createClient>;

/** What a test may use. */
type Given = {
  service: Service;
  /** Signed in as an administrator. */
  client: Client;
  /** Another caller. */
  as: (token?: string) => Client;
};

/** A call that must fail, and what its failure must hold beside its type. */
type Refusal = { call: Promise<unknown>; holds?: object };

type Procedures = {
  [P in ProcedureName]: {
    answers: (given: Given) => Promise<void>;
    fails: { [T in Failures[P]["type"]]: (given: Given) => Promise<Refusal> };
  };
};

const NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057";

/** An address that nobody has. */
const address = () => `${crypto.randomUUID()}@example.com`;

const createUser = (client: Client, input: { age?: number | null; role?: User["role"] } = {}) =>
  client.users.create.mutate({ email: address(), name: "Ada", ...input });

const createPost = (client: Client) => client.posts.create.mutate({ title: "Lunch", body: "At noon." });

/** Lists sort texts whatever their case, by their bytes. */
function assertSorted(texts: readonly string[], sort: string): void {
  assert.ok(texts.length > 1, `${sort}: ${texts.length} entries have no order`);
  const folded = texts.map((text) => text.toLowerCase());
  const sorted = [...folded].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(folded, sort.startsWith("-") ? sorted.reverse() : sorted, sort);
}

/** Takes and makes administrators until exactly one is left, who is no caller of these tests. */
async function onlyAdministrator(client: Client): Promise<User> {
  const one = await createUser(client, { role: "administrator" });
  const { items } = await client.users.list.query({ role: "administrator", limit: 100 });
  for (const other of items) if (other.id !== one.id) await client.users.delete.mutate({ id: other.id });
  return one;
}

const procedures: Procedures = {
  "health.ping": {
    answers: async ({ as }) => {
      const answer: string = await as().health.ping.query();
      assert.equal(answer, "pong");
    },
    fails: {},
  },

  "posts.create": {
    answers: async ({ client }) => {
      const post = await client.posts.create.mutate({ title: "Gruß 🍰", body: "Zeile 1\nZeile 2" });
      assert.equal(post.title, "Gruß 🍰");
      assert.equal(post.body, "Zeile 1\nZeile 2");
      assert.equal(post.createdAt, post.updatedAt);
      assert.match(post.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    },
    fails: {
      notAUser: async ({ service, as }) => {
        const robot = as(service.token("administrator", "robot"));
        return { call: createPost(robot) };
      },
    },
  },

  "posts.delete": {
    answers: async ({ client }) => {
      const { id } = await createPost(client);
      const nothing: undefined = await client.posts.delete.mutate({ id });
      assert.equal(nothing, undefined);
      await assert.rejects(client.posts.get.query({ id }));
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.posts.delete.mutate({ id: NOBODY as PostId }),
        holds: { value: NOBODY },
      }),
    },
  },

  "posts.get": {
    answers: async ({ client }) => {
      const post = await createPost(client);
      assert.deepEqual(await client.posts.get.query({ id: post.id }), post);
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.posts.get.query({ id: NOBODY as PostId }),
        holds: { value: NOBODY },
      }),
    },
  },

  "posts.list": {
    answers: async ({ client }) => {
      const made = [await createPost(client), await createPost(client), await createPost(client)];
      const first = await client.posts.list.query({ limit: 2, sort: "-createdAt" });
      assert.equal(first.items.length, 2);
      assert.notEqual(first.next, null);
      const second = await client.posts.list.query({ limit: 2, sort: "-createdAt", cursor: first.next });
      const seen = [...first.items, ...second.items].map((post) => post.id);
      for (const { id } of made) assert.ok(seen.includes(id));
      const ofAuthor = await client.posts.list.query({ authorId: NOBODY as UserId });
      assert.deepEqual(ofAuthor, { items: [], next: null });
      assert.ok((await client.posts.list.query()).items.length > 0);
      await client.posts.create.mutate({ title: "breakfast", body: "At eight." });
      for (const sort of ["title", "-title"] as const) {
        const { items } = await client.posts.list.query({ sort, limit: 100 });
        assertSorted(items.map((post) => post.title), sort);
      }
    },
    fails: {},
  },

  "posts.update": {
    answers: async ({ client }) => {
      const post = await createPost(client);
      const { title, body, version } = await client.posts.update.mutate({ id: post.id, body: "At one." });
      assert.deepEqual({ title, body, version }, { title: "Lunch", body: "At one.", version: post.version + 1 });
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.posts.update.mutate({ id: NOBODY as PostId, title: "Dinner" }),
        holds: { value: NOBODY },
      }),
      changed: async ({ client }) => {
        const { id, version } = await createPost(client);
        const next = await client.posts.update.mutate({ id, version, title: "Dinner" });
        return {
          call: client.posts.update.mutate({ id, version, title: "Supper" }),
          holds: { version: next.version },
        };
      },
    },
  },

  "users.create": {
    answers: async ({ client }) => {
      const email = address();
      const { id, createdAt, version, ...rest } = await client.users.create.mutate({ email, name: "Ada" });
      // What was left out is there all the same, as null or with its stated default.
      assert.deepEqual(rest, { email, name: "Ada", age: null, isVerified: false, role: "viewer" });
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000);
      assert.equal(typeof version, "number");
    },
    fails: {
      emailTaken: async ({ client }) => {
        const { email } = await createUser(client);
        const other = email.toUpperCase();
        return { call: client.users.create.mutate({ email: other, name: "Eve" }), holds: { value: other } };
      },
    },
  },

  "users.delete": {
    answers: async ({ client }) => {
      const { id } = await createUser(client);
      const nothing: undefined = await client.users.delete.mutate({ id });
      assert.equal(nothing, undefined);
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.users.delete.mutate({ id: NOBODY as UserId }),
        holds: { value: NOBODY },
      }),
      lastAdministrator: async ({ client }) => {
        const { id } = await onlyAdministrator(client);
        return { call: client.users.delete.mutate({ id }) };
      },
    },
  },

  "users.get": {
    answers: async ({ client, service, as }) => {
      const user = await createUser(client, { age: 36 });
      assert.deepEqual(await client.users.get.query({ id: user.id }), user);
      if (service.isOurs) assert.deepEqual(await as(service.token("viewer")).users.get.query({ id: user.id }), user);
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.users.get.query({ id: NOBODY as UserId }),
        holds: { value: NOBODY },
      }),
    },
  },

  "users.list": {
    answers: async ({ client }) => {
      await createUser(client, { age: 149 });
      await createUser(client, { age: 150 });
      const old = await client.users.list.query({ ageMin: 149, sort: "-age", limit: 1 });
      assert.deepEqual(old.items.map((user) => user.age), [150]);
      const older = await client.users.list.query({ ageMin: 149, sort: "-age", limit: 1, cursor: old.next });
      assert.ok(older.items.every((user) => user.age === 150 || user.age === 149));
      const everybody = await client.users.list.query();
      assert.ok(everybody.items.length >= 2);
      for (const sort of ["name", "-name", "email", "-email"] as const) {
        const { items } = await client.users.list.query({ sort, limit: 100 });
        assertSorted(items.map((user) => (sort.endsWith("name") ? user.name : user.email)), sort);
      }
    },
    fails: {},
  },

  "users.update": {
    answers: async ({ client }) => {
      const { id } = await createUser(client, { age: 36 });
      const verified = await client.users.update.mutate({ id, isVerified: true });
      assert.equal(verified.age, 36, "an absent field stays as it is");
      const ageless = await client.users.update.mutate({ id, age: null });
      assert.deepEqual([ageless.age, ageless.isVerified], [null, true], "null is a value");
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.users.update.mutate({ id: NOBODY as UserId, name: "Eve" }),
        holds: { value: NOBODY },
      }),
      emailTaken: async ({ client }) => {
        const [one, other] = [await createUser(client), await createUser(client)];
        return {
          call: client.users.update.mutate({ id: other.id, email: one.email }),
          holds: { value: one.email },
        };
      },
      changed: async ({ client }) => {
        const { id, version } = await createUser(client);
        const next = await client.users.update.mutate({ id, name: "Grace" });
        return { call: client.users.update.mutate({ id, version, name: "Eve" }), holds: { version: next.version } };
      },
      lastAdministrator: async ({ client }) => {
        const { id } = await onlyAdministrator(client);
        return { call: client.users.update.mutate({ id, role: "viewer" }) };
      },
    },
  },
};

/** Failures that take a service of our own: another role, or a store in which nobody else writes. */
const OURS_ONLY = ["notAUser", "lastAdministrator"];

/** The clients that the table is called with. */
const clients: { [name: string]: (url: string, token?: string) => Client } = {
  "createTRPCClient<AppRouter>": (url, token) =>
    createTRPCClient<AppRouter>({
      links: [httpLink({ url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })],
    }),
  createClient: (url, token) => createClient({ url, token }),
  "createClient with a token that is fetched": (url, token) => createClient({ url, token: async () => token }),
  "queries as POST": (url, token) =>
    createTRPCClient<AppRouter>({
      links: [httpLink({ url, methodOverride: "POST", headers: { authorization: `Bearer ${token ?? "none"}` } })],
    }),
};

let service: Service;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test("the table has every procedure and every failure of the contract", () => {
  const inContract = contract.procedures.map(({ name, failures }) => [name, failures.map(({ type }) => type).sort()]);
  const inTable = Object.entries(procedures).map(([name, { fails }]) => [name, Object.keys(fails).sort()]);
  assert.deepEqual(Object.fromEntries(inTable), Object.fromEntries(inContract));
});

for (const [clientName, connect] of Object.entries(clients)) {
  describe(clientName, () => {
    const given = (): Given => ({
      service,
      client: connect(service.url, service.administrator),
      as: (token) => connect(service.url, token),
    });
    for (const { name, failures, auth } of contract.procedures) {
      const { answers, fails } = procedures[name as ProcedureName];
      test(`${name} answers`, () => answers(given()));

      for (const { type, code, httpStatus } of failures) {
        const { ONEFOLD_URL: url, ONEFOLD_STAGE: stage } = process.env;
        const remote = url !== undefined && stage === undefined && OURS_ONLY.includes(type);
        test(`${name} fails: ${type}`, { skip: remote && "needs a service of its own" }, async () => {
          const refusals: { [type: string]: (given: Given) => Promise<Refusal> } = fails;
          const refuse = refusals[type];
          assert.ok(refuse);
          const { call, holds } = await refuse(given());
          const error = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
          assert.ok(error instanceof TRPCClientError);
          const { requestId, ...data } = (error as TRPCClientError<AppRouter>).data ?? assert.fail("no error.data");
          const failure = { type, ...holds };
          assert.deepEqual(data, { code, httpStatus, path: name, failure });
          assert.match(requestId, /^[\w-]{8,}$/);
          assert.deepEqual(failureOf(name as ProcedureName, error), failure);
        });
      }

      if (auth.type !== "public") {
        test(`${name} wants to know who is calling`, async () => {
          // The input does not matter: who may not call learns nothing about it.
          const [domain, procedure] = name.split(".") as ["users", "get"];
          const stranger = given().as()[domain][procedure] as unknown as {
            [method: string]: (input: unknown) => Promise<unknown>;
          };
          const method = contract.procedures.find((one) => one.name === name)?.kind === "query" ? "query" : "mutate";
          const error = await stranger[method]?.({ wrong: true }).catch((error: unknown) => error);
          assert.ok(error instanceof TRPCClientError);
          const { code, httpStatus, path } = (error as TRPCClientError<AppRouter>).data ?? assert.fail("no error.data");
          assert.deepEqual({ code, httpStatus, path }, { code: "UNAUTHORIZED", httpStatus: 401, path: name });
        });
      }
    }
  });
}
