// Every procedure, with every way it can fail, through the official client and through the package's own; and queries, mutations
// and failures of each form in the other ways to call. The table below has to name all procedures: a new one, or a new failure,
// does not compile here until it has its test.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import {
  createClient,
  createSession,
  failureOf,
  type AppRouter,
  type ClientId,
  type Failures,
  type PostId,
  type ProcedureName,
  type User,
  type UserId,
} from "@onefold/testbed";
import contract from "@onefold/testbed/contract.json" with { type: "json" };
import { Jar } from "../oauth/jar.js";
import { TestProvider } from "../oauth/provider.js";
import { mailedToken, startHere, startService, type Service } from "../service.js";

type Client = ReturnType<typeof createClient>;

/** What a test may use. */
type Given = {
  service: Service;
  /** Signed in as an administrator. */
  client: Client;
  /** Another caller. */
  as: (token?: string) => Client;
  /** Somebody at another service. */
  at: (url: string) => Client;
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

const createUser = (client: Client, input: { age?: number | null; role?: User["role"]; isVerified?: boolean } = {}) =>
  client.users.create.mutate({ email: address(), name: "Ada", ...input });

const createPost = (client: Client) => client.posts.create.mutate({ title: "Lunch", body: "At noon." });

const PASSWORD = "seven grey herons wade";

/** The address of somebody who has registered, and has not proved it. */
async function unproved({ client }: Given): Promise<string> {
  const email = address();
  await client.auth.register.mutate({ email, name: "Grace", password: PASSWORD });
  return email;
}

/** Somebody who has registered and proved the address, and who is signed in with tokens. */
async function register(given: Given) {
  const { client, service, as } = given;
  const email = await unproved(given);
  await client.auth.verifyEmail.mutate({ token: await mailedToken(service, email), password: PASSWORD });
  const { user, tokens } = await client.auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
  assert.ok(tokens !== null);
  return { email, user, tokens, self: as(tokens.accessToken) };
}

/** Somebody with a token and no account. */
const robot = ({ service, as }: Given) => as(service.token("administrator", "robot"));

/** Somebody with a token of an hour ago. */
const old = ({ service, as }: Given) => as(service.oldToken("administrator"));

/** A browser in which somebody signs in with an account at `acme` and with nothing else. */
async function browserElsewhere({ service }: Given): Promise<Jar> {
  acme.person = { id: crypto.randomUUID(), email: address(), isVerified: true };
  const { origin } = new URL(service.url);
  const browser = new Jar();
  const back = await browser.follow(`${origin}/oauth/start?provider=acme`, `${service.home}/oauth/callback/`);
  await browser.visit(service.here(back));
  return browser;
}

/** The same person, with a token. */
async function elsewhere(given: Given): Promise<Client> {
  const { service, as } = given;
  const browser = await browserElsewhere(given);
  const me = JSON.parse((await browser.visit(`${service.url}/auth.me`)).text) as { result: { data: { id: string } } };
  return as(service.token("viewer", me.result.data.id));
}

/** The same person, on a page of the service in that browser. */
async function pageElsewhere(given: Given): Promise<Client> {
  const browser = await browserElsewhere(given);
  const { url, home } = given.service;
  const visit = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers);
    headers.set("origin", home);
    const { status, headers: answered, text } = await browser.visit(String(input), { ...init, headers });
    return new Response(text, { status, headers: answered });
  };
  return createClient({ url, fetch: createSession({ url, fetch: visit as typeof fetch }).fetch });
}

const createClientOf = (client: Client) =>
  client.grants.clientsCreate.mutate({
    name: "Reader",
    kind: "public",
    redirectUris: ["https://reader.example/callback"],
    scopes: ["posts:read"],
  });

/** Lists sort texts whatever their case, by their bytes. */
function assertSorted(texts: readonly string[], sort: string): void {
  assert.ok(texts.length > 1, `${sort}: ${texts.length} entries have no order`);
  const folded = texts.map((text) => text.toLowerCase());
  const sorted = [...folded].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(folded, sort.startsWith("-") ? sorted.reverse() : sorted, sort);
}

/** Takes and makes administrators until exactly one is left who can act, and is no caller of these tests. */
async function onlyAdministrator(client: Client): Promise<User> {
  const one = await createUser(client, { role: "administrator", isVerified: true });
  const { items } = await client.users.list.query({ role: "administrator", limit: 100 });
  for (const other of items) if (other.id !== one.id) await client.users.delete.mutate({ id: other.id });
  return one;
}

const procedures: Procedures = {
  "account.erase": {
    answers: async (given) => {
      const { email, user, self } = await register(given);
      await self.account.erase.mutate({ password: PASSWORD });
      await assert.rejects(given.client.auth.login.mutate({ email, password: PASSWORD }));
      await assert.rejects(given.client.users.get.query({ id: user.id }));
    },
    fails: {
      notAUser: async (given) => ({ call: robot(given).account.erase.mutate() }),
      wrongPassword: async (given) => {
        const { self } = await register(given);
        return { call: self.account.erase.mutate({ password: "another" }) };
      },
      lastAdministrator: async (given) => {
        const { email, user, self } = await register(given);
        await given.client.users.update.mutate({ id: user.id, role: "administrator", isVerified: true });
        const { items } = await given.client.users.list.query({ role: "administrator", limit: 100 });
        for (const { id } of items) if (id !== user.id) await given.client.users.delete.mutate({ id });
        assert.ok(email.length > 0);
        return { call: self.account.erase.mutate({ password: PASSWORD }) };
      },
      reauthenticate: async (given) => ({ call: old(given).account.erase.mutate({}) }),
    },
  },

  "account.export": {
    answers: async (given) => {
      const { email, user, self } = await register(given);
      const exported = await self.account.export.mutate();
      assert.equal(exported.user.email, email);
      assert.deepEqual([exported.user.id, exported.identities, exported.posts, exported.next], [user.id, [], [], null]);
    },
    fails: { notAUser: async (given) => ({ call: robot(given).account.export.mutate() }) },
  },

  "audit.list": {
    answers: async (given) => {
      const { user } = await register(given);
      const { items } = await given.client.audit.list.query({ target: user.id });
      assert.deepEqual(items.map(({ action }) => action), ["signedIn", "emailVerified", "registered"]);
      await given.client.users.update.mutate({ id: user.id, name: "Grace H." });
      const [newest] = (await given.client.audit.list.query({ target: user.id, limit: 1 })).items;
      assert.equal(newest?.action, "userChanged");
      assert.notEqual(newest.actor, user.id);
      const own = await given.client.audit.list.query({ actor: user.id });
      assert.ok(own.items.every(({ actor }) => actor === user.id) && own.items.length === 3);
      assert.ok((await given.client.audit.list.query()).items.length >= 3);
    },
    fails: {},
  },

  "auth.changePassword": {
    answers: async (given) => {
      const { email, self } = await register(given);
      await self.auth.changePassword.mutate({ current: PASSWORD, password: "eight white swans glide" });
      await assert.rejects(given.client.auth.login.mutate({ email, password: PASSWORD }));
      await given.client.auth.login.mutate({ email, password: "eight white swans glide" });
      assert.equal((await self.auth.me.query()).email, email, "the one who changed it is still signed in");
    },
    fails: {
      wrongPassword: async (given) => {
        const { self } = await register(given);
        return { call: self.auth.changePassword.mutate({ current: "another", password: "eight white swans glide" }) };
      },
      notAUser: async (given) => ({
        call: robot(given).auth.changePassword.mutate({ password: "eight white swans glide" }),
      }),
      reauthenticate: async (given) => ({
        call: old(given).auth.changePassword.mutate({ password: "eight white swans glide" }),
      }),
    },
  },

  "auth.login": {
    answers: async (given) => {
      const { email, user } = await register(given);
      const signedIn = await given.client.auth.login.mutate({ email: email.toUpperCase(), password: PASSWORD });
      assert.deepEqual(signedIn, { user, tokens: null }, "the cookie is out of reach of scripts");
      assert.deepEqual([user.email, user.role, user.isVerified, user.permissions], [email, "guest", true, []]);
    },
    fails: {
      wrongCredentials: async (given) => {
        const { email } = await register(given);
        const early = given.client.auth.login.mutate({ email: await unproved(given), password: PASSWORD });
        await assert.rejects(early, (error) => failureOf("auth.login", error)?.type === "wrongCredentials");
        return { call: given.client.auth.login.mutate({ email, password: "another" }) };
      },
    },
  },

  "auth.logout": {
    answers: async (given) => {
      const { tokens, self } = await register(given);
      await given.client.auth.logout.mutate({ refreshToken: tokens.refreshToken });
      await assert.rejects(given.client.auth.refresh.mutate({ refreshToken: tokens.refreshToken }));
      await assert.rejects(self.sessions.list.query(), "on a sensitive procedure it counts at once");
      await given.client.auth.logout.mutate({ refreshToken: tokens.refreshToken });
    },
    fails: {},
  },

  "auth.me": {
    answers: async (given) => {
      const { user, self } = await register(given);
      assert.deepEqual(await self.auth.me.query(), user);
    },
    fails: { notAUser: async (given) => ({ call: robot(given).auth.me.query() }) },
  },

  "auth.reauthenticate": {
    answers: async (given) => {
      const { user, tokens, self } = await register(given);
      const { tokens: next } = await self.auth.reauthenticate.mutate({ password: PASSWORD });
      assert.ok(next !== null && next.refreshToken !== tokens.refreshToken);
      assert.deepEqual(await given.as(next.accessToken).auth.me.query(), user);
      await assert.rejects(given.client.auth.refresh.mutate({ refreshToken: tokens.refreshToken }), "it is another's");
      await assert.rejects(self.sessions.list.query(), "and so is the token before");
    },
    fails: {
      wrongPassword: async (given) => {
        const { self } = await register(given);
        return { call: self.auth.reauthenticate.mutate({ password: "another" }) };
      },
      noPassword: async (given) => {
        const self = await elsewhere(given);
        return { call: self.auth.reauthenticate.mutate({ password: PASSWORD }) };
      },
      notAUser: async (given) => ({ call: robot(given).auth.reauthenticate.mutate({ password: PASSWORD }) }),
    },
  },

  "auth.refresh": {
    answers: async (given) => {
      const { email, tokens } = await register(given);
      const { tokens: next } = await given.client.auth.refresh.mutate({ refreshToken: tokens.refreshToken });
      assert.ok(next !== null && next.refreshToken !== tokens.refreshToken && next.expiresInS > 0);
      assert.equal((await given.as(next.accessToken).auth.me.query()).email, email);
      const again = await given.client.auth.refresh.mutate({ refreshToken: tokens.refreshToken });
      assert.equal(again.tokens?.refreshToken, next.refreshToken, "the answer might have been lost");
    },
    fails: { ended: async ({ client }) => ({ call: client.auth.refresh.mutate({ refreshToken: "A".repeat(86) }) }) },
  },

  "auth.register": {
    answers: async (given) => {
      const email = await unproved(given);
      const mails = await given.service.mails(email);
      assert.deepEqual(mails.map(({ subject }) => subject), ["Confirm your e-mail address"]);
      await given.client.auth.verifyEmail.mutate({ token: await mailedToken(given.service, email), password: PASSWORD });
      const nothing: undefined = await given.client.auth.register.mutate({ email, name: "Eve", password: PASSWORD });
      assert.equal(nothing, undefined, "the answer does not tell");
      assert.equal((await given.service.mails(email))[0]?.subject, "You have an account already");
    },
    fails: {
      closed: async ({ at }) => ({
        call: at(closed.url).auth.register.mutate({ email: address(), name: "Eve", password: PASSWORD }),
      }),
      otherDomain: async ({ at }) => ({
        call: at(ofDomain.url).auth.register.mutate({ email: address(), name: "Eve", password: PASSWORD }),
      }),
      wrongFounderToken: async ({ client }) => ({
        call: client.auth.register.mutate({ email: address(), name: "Eve", password: PASSWORD, founderToken: "A".repeat(43) }),
      }),
    },
  },

  "auth.requestReset": {
    answers: async (given) => {
      const { email } = await register(given);
      const nobody = address();
      await given.client.auth.requestReset.mutate({ email });
      await given.client.auth.requestReset.mutate({ email: nobody });
      assert.equal((await given.service.mails(email))[0]?.subject, "Choose a new password");
      assert.deepEqual(await given.service.mails(nobody), []);
    },
    fails: {},
  },

  "auth.resendVerification": {
    answers: async (given) => {
      const email = await unproved(given);
      await given.client.auth.resendVerification.mutate({ email });
      assert.equal((await given.service.mails(email)).length, 2);
      await given.client.auth.verifyEmail.mutate({ token: await mailedToken(given.service, email), password: PASSWORD });
      await given.client.auth.resendVerification.mutate({ email });
      assert.equal((await given.service.mails(email)).length, 2, "there is nothing left to prove");
    },
    fails: {},
  },

  "auth.resetPassword": {
    answers: async (given) => {
      const { email, tokens } = await register(given);
      await given.client.auth.requestReset.mutate({ email });
      const token = await mailedToken(given.service, email);
      await given.client.auth.resetPassword.mutate({ token, password: "eight white swans glide" });
      await assert.rejects(given.client.auth.login.mutate({ email, password: PASSWORD }));
      await assert.rejects(given.client.auth.refresh.mutate({ refreshToken: tokens.refreshToken }), "signed out everywhere");
      const { user } = await given.client.auth.login.mutate({ email, password: "eight white swans glide" });
      assert.equal(user.isVerified, true, "whoever reads the mail has the address");
    },
    fails: {
      notValid: async ({ client }) => ({
        call: client.auth.resetPassword.mutate({ token: "A".repeat(43), password: "eight white swans glide" }),
      }),
    },
  },

  "auth.verifyEmail": {
    answers: async (given) => {
      const email = await unproved(given);
      const token = await mailedToken(given.service, email);
      await given.client.auth.verifyEmail.mutate({ token, password: PASSWORD });
      const { tokens, user } = await given.client.auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
      assert.deepEqual([user.isVerified, user.role, user.permissions], [true, "guest", []]);
      assert.ok((await given.as(tokens?.accessToken).auth.me.query()).isVerified);
      await assert.rejects(given.client.auth.verifyEmail.mutate({ token, password: PASSWORD }), "it is good once");
    },
    fails: {
      notValid: async ({ client }) => ({ call: client.auth.verifyEmail.mutate({ token: "A".repeat(43) }) }),
      passwordNeeded: async (given) => {
        const email = await unproved(given);
        return { call: given.client.auth.verifyEmail.mutate({ token: await mailedToken(given.service, email) }) };
      },
    },
  },

  "grants.clientsCreate": {
    answers: async ({ client }) => {
      const { client: made, secret } = await createClientOf(client);
      assert.deepEqual([made.kind, made.grantTypes, secret], ["public", ["authorization_code", "refresh_token"], null]);
      const robot = await client.grants.clientsCreate.mutate({
        name: "Robot",
        kind: "confidential",
        redirectUris: [],
        scopes: ["posts:write:own"],
        grantTypes: ["client_credentials"],
      });
      assert.match(robot.secret ?? "", /^[\w-]{43}$/);
    },
    fails: {
      misleadingName: async ({ client }) => ({
        call: client.grants.clientsCreate.mutate({
          name: "Rea\u200bder",
          kind: "public",
          redirectUris: ["https://reader.example/"],
          scopes: ["posts:read"],
        }),
      }),
      notYourScope: async ({ client }) => {
        const input = { name: "Reader", kind: "public" as const, redirectUris: ["https://reader.example/"] };
        return {
          call: client.grants.clientsCreate.mutate({ ...input, scopes: ["posts:read", "posts:fly"] }),
          holds: { value: "posts:fly" },
        };
      },
      badRedirectUri: async ({ client }) => {
        const uri = "http://reader.example/callback";
        const input = { name: "Reader", kind: "public", redirectUris: [uri], scopes: ["posts:read"] } as const;
        const reason = "http is for loopback addresses: use https";
        const call = client.grants.clientsCreate.mutate({ ...input, redirectUris: [uri], scopes: ["posts:read"] });
        return { call, holds: { uri, reason } };
      },
      contradiction: async ({ client }) => {
        const call = client.grants.clientsCreate.mutate({
          name: "Reader",
          kind: "public",
          redirectUris: [],
          scopes: ["posts:read"],
          grantTypes: ["client_credentials"],
        });
        return { call, holds: { reason: "client_credentials are of an application that keeps a secret" } };
      },
      reauthenticate: async (given) => ({ call: createClientOf(old(given)) }),
    },
  },

  "grants.clientsDelete": {
    answers: async ({ client }) => {
      const { id } = (await createClientOf(client)).client;
      const nothing: undefined = await client.grants.clientsDelete.mutate({ id });
      assert.equal(nothing, undefined);
      await assert.rejects(client.grants.clientsDelete.mutate({ id }));
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.grants.clientsDelete.mutate({ id: NOBODY as ClientId }),
        holds: { value: NOBODY },
      }),
    },
  },

  "grants.clientsList": {
    answers: async ({ client }) => {
      const made = [await createClientOf(client), await createClientOf(client)].map((one) => one.client);
      const first = await client.grants.clientsList.query({ limit: 1 });
      const second = await client.grants.clientsList.query({ limit: 1, cursor: first.next });
      const seen = [...first.items, ...second.items];
      for (const one of made) assert.deepEqual(seen.find(({ id }) => id === one.id), one);
    },
    fails: {},
  },

  "health.ping": {
    answers: async ({ as }) => {
      const answer: string = await as().health.ping.query();
      assert.equal(answer, "pong");
    },
    fails: {},
  },

  "oauth.identities": {
    answers: async (given) => {
      const { self } = await register(given);
      assert.deepEqual(await self.oauth.identities.query(), { items: [] });
      if (!given.service.isOurs) return;
      const { items } = await (await elsewhere(given)).oauth.identities.query();
      assert.deepEqual(items.map(({ provider, email }) => [provider, email]), [["acme", acme.person.email]]);
    },
    fails: {},
  },

  "oauth.link": {
    answers: async (given) => {
      if (!given.service.isOurs) return;
      const { self } = await register(given);
      const { url } = await self.oauth.link.mutate({ provider: "acme", returnTo: "/profile" });
      assert.ok(url.startsWith(`${acme.issuer}/auth?`), url);
    },
    fails: {
      missing: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.link.mutate({ provider: "nobody" }), holds: { value: "nobody" } };
      },
      notAPath: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.link.mutate({ provider: "acme", returnTo: "//evil.example" }) };
      },
      noSession: async (given) => ({ call: robot(given).oauth.link.mutate({ provider: "acme" }) }),
      notVerified: async (given) => {
        const { user, self } = await register(given);
        await given.client.users.update.mutate({ id: user.id, isVerified: false });
        return { call: self.oauth.link.mutate({ provider: "acme" }) };
      },
      unavailable: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.link.mutate({ provider: "away" }) };
      },
      reauthenticate: async (given) => ({ call: old(given).oauth.link.mutate({ provider: "acme" }) }),
    },
  },

  "oauth.providers": {
    answers: async ({ as, service }) => {
      const { items } = await as().oauth.providers.query();
      if (service.isOurs) assert.deepEqual(items, [{ id: "acme", label: "Acme" }, { id: "away", label: "away" }, FACEBOOK]);
    },
    fails: {},
  },

  "oauth.reauthenticate": {
    answers: async (given) => {
      if (!given.service.isOurs) return;
      const self = await pageElsewhere(given);
      const { url } = await self.oauth.reauthenticate.mutate({ provider: "acme", returnTo: "/profile" });
      assert.ok(url.startsWith(`${acme.issuer}/auth?`), url);
      assert.equal(new URL(url).searchParams.get("max_age"), "0", "the provider is to ask anew");
    },
    fails: {
      missing: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.reauthenticate.mutate({ provider: "nobody" }), holds: { value: "nobody" } };
      },
      notAPath: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.reauthenticate.mutate({ provider: "acme", returnTo: "//evil.example" }) };
      },
      noCookie: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.reauthenticate.mutate({ provider: "acme" }) };
      },
      neverFresh: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.reauthenticate.mutate({ provider: "facebook" }) };
      },
      unavailable: async (given) => {
        const self = await pageElsewhere(given);
        return { call: self.oauth.reauthenticate.mutate({ provider: "away" }) };
      },
    },
  },

  "oauth.unlink": {
    answers: async (given) => {
      if (!given.service.isOurs) return;
      const self = await pageElsewhere(given);
      await self.auth.changePassword.mutate({ password: PASSWORD });
      await self.oauth.unlink.mutate({ provider: "acme" });
      assert.deepEqual(await self.oauth.identities.query(), { items: [] });
    },
    fails: {
      notLinked: async (given) => {
        const { self } = await register(given);
        return { call: self.oauth.unlink.mutate({ provider: "acme" }) };
      },
      lastWay: async (given) => ({ call: (await elsewhere(given)).oauth.unlink.mutate({ provider: "acme" }) }),
      reauthenticate: async (given) => ({ call: old(given).oauth.unlink.mutate({ provider: "acme" }) }),
    },
  },

  "posts.byIds": {
    answers: async ({ client }) => {
      const [lunch, dinner] = [await createPost(client), await createPost(client)];
      const ids = [dinner.id, NOBODY as PostId, lunch.id, dinner.id];
      assert.deepEqual(await client.posts.byIds.query({ ids }), [dinner, lunch]);
      await assert.rejects(client.posts.byIds.query({ ids: [] }));
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
      changed: async ({ client }) => {
        const { id, version } = await createPost(client);
        const next = await client.posts.update.mutate({ id, title: "Later" });
        return { call: client.posts.delete.mutate({ id, version }), holds: { version: next.version } };
      },
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

  "sessions.list": {
    answers: async (given) => {
      const { email, self } = await register(given);
      await given.client.auth.login.mutate({ email, password: PASSWORD });
      const { items } = await self.sessions.list.query();
      assert.deepEqual(items.map(({ kind, current }) => [kind, current]), [["cookie", false], ["tokens", true]]);
      assert.ok(items.every(({ createdAt, expiresAt, address }) => createdAt < expiresAt && address !== ""));
      assert.deepEqual(await robot(given).sessions.list.query(), { items: [] });
    },
    fails: {},
  },

  "sessions.revoke": {
    answers: async (given) => {
      const { self } = await register(given);
      const { items } = await self.sessions.list.query();
      await self.sessions.revoke.mutate({ device: items[0]!.device });
      await assert.rejects(self.sessions.list.query(), "it counts from the next call");
    },
    fails: {
      missing: async (given) => {
        const [one, other] = [await register(given), await register(given)];
        const device = (await other.self.sessions.list.query()).items[0]!.device;
        return { call: one.self.sessions.revoke.mutate({ device }), holds: { value: device } };
      },
    },
  },

  "sessions.revokeOthers": {
    answers: async (given) => {
      const { email, self } = await register(given);
      const other = await given.client.auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
      assert.deepEqual(await self.sessions.revokeOthers.mutate(), { count: 1 });
      await assert.rejects(given.client.auth.refresh.mutate({ refreshToken: other.tokens!.refreshToken }));
      assert.equal((await self.sessions.list.query()).items.length, 1);
    },
    fails: {},
  },

  "users.byIds": {
    answers: async ({ client }) => {
      const [ada, grace] = [await createUser(client), await createUser(client)];
      const ids = [grace.id, NOBODY as UserId, ada.id, grace.id];
      assert.deepEqual(await client.users.byIds.query({ ids }), [grace, ada]);
      await assert.rejects(client.users.byIds.query({ ids: [] }));
    },
    fails: {},
  },

  "users.create": {
    answers: async ({ client }) => {
      const email = address();
      const { id, createdAt, version, ...rest } = await client.users.create.mutate({ email, name: "Ada" });
      // What was left out is there all the same, as null or with its stated default.
      assert.deepEqual(rest, { email, name: "Ada", age: null, isVerified: false, role: "guest", endsAt: null });
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
      reauthenticate: async (given) => {
        await old(given).users.create.mutate({ email: address(), name: "Ada" });
        return { call: old(given).users.create.mutate({ email: address(), name: "Eve", role: "viewer" }) };
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
      changed: async ({ client }) => {
        const { id, version } = await createUser(client);
        const next = await client.users.update.mutate({ id, name: "Grace" });
        return { call: client.users.delete.mutate({ id, version }), holds: { version: next.version } };
      },
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

  "users.signOut": {
    answers: async (given) => {
      const { email, user, tokens } = await register(given);
      assert.deepEqual(await given.client.users.signOut.mutate({ id: user.id }), { count: 1 });
      await assert.rejects(given.client.auth.refresh.mutate({ refreshToken: tokens.refreshToken }));
      assert.equal((await given.service.mails(email))[0]?.subject, "You were signed out everywhere");
    },
    fails: {
      missing: async ({ client }) => ({
        call: client.users.signOut.mutate({ id: NOBODY as UserId }),
        holds: { value: NOBODY },
      }),
    },
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
      reauthenticate: async (given) => {
        const { id } = await createUser(given.client);
        await old(given).users.update.mutate({ id, name: "Countess" });
        return { call: old(given).users.update.mutate({ id, role: "viewer" }) };
      },
    },
  },
};

/** Failures that take a service of our own: another role, or a store in which nobody else writes. */
const OURS_ONLY = [
  ...["notAUser", "lastAdministrator", "noSession", "unavailable", "lastWay"],
  ...["reauthenticate", "noPassword", "noCookie", "neverFresh"],
];

/** A provider that does not say when it asked somebody who they are. */
const FACEBOOK = { id: "facebook", label: "Facebook" };

/** The clients that call everything in the table. */
const clients: { [name: string]: (url: string, token?: string) => Client } = {
  "createTRPCClient<AppRouter>": (url, token) =>
    createTRPCClient<AppRouter>({
      links: [httpLink({ url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })],
    }),
  createClient: (url, token) => createClient({ url, token }),
};

/** The other ways to call. */
const variants: typeof clients = {
  "createClient with a token that is fetched": (url, token) => createClient({ url, token: async () => token }),
  "queries as POST": (url, token) =>
    createTRPCClient<AppRouter>({
      links: [httpLink({ url, methodOverride: "POST", headers: { authorization: `Bearer ${token ?? "none"}` } })],
    }),
};

/** The domains that they call: with and without an input and an output, and with failures that hold something. */
const CALLED_BY_VARIANTS = ["health", "posts"];

let service: Service;
/** Where nobody registers, and where only people of another company do. */
let closed: Service;
let ofDomain: Service;
let acme: TestProvider;
before(async () => {
  acme = await TestProvider.start();
  const { id: clientId, secret: clientSecret } = acme.client;
  const client = { clientId, clientSecret };
  service = await startService({
    "identity-providers": [
      { id: "acme", label: "Acme", issuer: acme.issuer, ...client },
      { id: "away", issuer: "http://127.0.0.1:9", ...client },
      { ...FACEBOOK, ...client },
    ],
  });
  acme.register(`${service.home}/oauth/callback/acme`);
  closed = await startHere({}, ["--registration", "closed"]);
  ofDomain = await startHere({}, ["--registration", "company.example"]);
  // The first person who registers becomes administrator: not one of those below.
  await createClient({ url: service.url }).auth.register.mutate({ email: address(), name: "First", password: PASSWORD });
});
after(async () => {
  await Promise.all([service, closed, ofDomain].map((one) => one.stop()));
  await acme.stop();
});

/** The procedures that clients call by name. */
const typed = contract.procedures.filter(({ http }) => http === null);

test("the table has every procedure and every failure of the contract", () => {
  const inContract = typed.map(({ name, failures }) => [name, failures.map(({ type }) => type).sort()]);
  const inTable = Object.entries(procedures).map(([name, { fails }]) => [name, Object.keys(fails).sort()]);
  assert.deepEqual(Object.fromEntries(inTable), Object.fromEntries(inContract));
});

for (const [clientName, connect] of Object.entries({ ...clients, ...variants })) {
  describe(clientName, () => {
    const given = (): Given => ({
      service,
      client: connect(service.url, service.administrator),
      as: (token) => connect(service.url, token),
      at: (url) => connect(url),
    });
    const called = typed.filter(({ name }) => clientName in clients || CALLED_BY_VARIANTS.includes(name.split(".")[0] ?? ""));
    for (const { name, failures, auth } of called) {
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
