// The domain `users`: the people of the company, and what they may.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Cursor, User, UserId, UsersCreateInput, UsersListInput } from "service";
import {
  administrator, allPages, as, assertFails, assertOutcomes, assertWrongFields, clientWith, newAddress, outcomeOf, register,
  service, UNKNOWN_ID, type Client,
} from "./support.js";

/** Who reads, and who does not. */
const READERS = { nobody: "UNAUTHORIZED", guest: "FORBIDDEN", viewer: "OK", employee: "OK", administrator: "OK" };
/** Who changes every user. */
const WRITERS = { ...READERS, viewer: "FORBIDDEN", employee: "FORBIDDEN" };

const UNKNOWN = UNKNOWN_ID as UserId;

const create = (input: Partial<UsersCreateInput> = {}, client: Client = administrator()): Promise<User> =>
  client.users.create.mutate({ email: newAddress(), name: "Ada", ...input });

/** An administrator whose token is of an hour ago. */
const longSignedIn = (): Client => clientWith(service.oldToken("administrator"));

describe("users.create", () => {
  test("gives what was left out its default", async () => {
    const email = newAddress();
    const { id, createdAt, ...rest } = await create({ email });
    assert.deepEqual(rest, { email, name: "Ada", age: null, isVerified: false, role: "guest", endsAt: null, version: 1 });
    assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000, createdAt);
    assert.deepEqual(await administrator().users.get.query({ id }), { id, createdAt, ...rest });
  });

  test("fails for an address that another user has, however it is written", async () => {
    const { email } = await create();
    const again = email.toUpperCase();
    await assertFails("users.create", create({ email: again }), { type: "emailTaken", value: again });
  });

  test("gives rights only to whom signed in a moment ago", async () => {
    assert.equal((await create({}, longSignedIn())).role, "guest");
    for (const rights of [{ role: "viewer" }, { isVerified: true }] as const) {
      await assertFails("users.create", create(rights, longSignedIn()), { type: "reauthenticate" });
    }
  });

  test("takes an address, a name of 1 to 100 characters and an age of at most 150", async () => {
    assert.equal((await create({ name: "é".repeat(100), age: 150 })).age, 150);
    await assertWrongFields(create({ email: "ada", name: "", age: 151 }), "age", "email", "name");
    await assertWrongFields(create({ name: "é".repeat(101), age: -1 }), "age", "name");
  });

  test("is for those who change every user", () => assertOutcomes(WRITERS, (client) => create({}, client)));
});

describe("users.get and users.byIds", () => {
  test("fetch one, and many in the order that was asked for", async () => {
    const client = administrator();
    const [ada, grace] = [await create({ age: 36 }), await create({ name: "Grace" })];
    assert.deepEqual(await client.users.get.query({ id: ada.id }), ada);
    assert.deepEqual(await client.users.byIds.query({ ids: [grace.id, UNKNOWN, ada.id, grace.id] }), [grace, ada]);
  });

  test("fail for an unknown id, and leave it out", async () => {
    await assertFails("users.get", administrator().users.get.query({ id: UNKNOWN }), { type: "missing", value: UNKNOWN });
    assert.deepEqual(await administrator().users.byIds.query({ ids: [UNKNOWN] }), []);
  });

  test("take 1 to 100 ids", async () => {
    const byIds = (count: number) => administrator().users.byIds.query({ ids: Array.from({ length: count }, () => UNKNOWN) });
    await assertWrongFields(byIds(0), "ids");
    assert.deepEqual(await byIds(100), []);
    await assertWrongFields(byIds(101), "ids");
  });

  test("are for those who read", async () => {
    const { id } = await create();
    await assertOutcomes(READERS, (client) => client.users.get.query({ id }));
    await assertOutcomes(READERS, (client) => client.users.byIds.query({ ids: [id] }));
  });
});

describe("users.update", () => {
  const update = (id: UserId, change: Partial<Parameters<Client["users"]["update"]["mutate"]>[0]>, client: Client = administrator()) =>
    client.users.update.mutate({ id, ...change });

  test("leaves what is absent as it is, and takes null for an age that is no longer known", async () => {
    const user = await create({ age: 36 });
    const renamed = await update(user.id, { name: "Countess", isVerified: true });
    assert.deepEqual(renamed, { ...user, name: "Countess", isVerified: true, version: user.version + 1 });
    assert.deepEqual(await update(user.id, { age: null }), { ...renamed, age: null, version: renamed.version + 1 });
  });

  test("gives a new address and a role", async () => {
    const [user, email] = [await create(), newAddress()];
    const changed = await update(user.id, { email, role: "employee" });
    assert.deepEqual([changed.email, changed.role], [email, "employee"]);
    assert.equal((await create({ email: user.email })).email, user.email, "the address before is free again");
  });

  test("fails for an unknown user, a taken address, and one who was changed meanwhile", async () => {
    await assertFails("users.update", update(UNKNOWN, { name: "Eve" }), { type: "missing", value: UNKNOWN });
    const [one, other] = [await create(), await create()];
    await assertFails("users.update", update(other.id, { email: one.email }), { type: "emailTaken", value: one.email });
    const next = await update(one.id, { version: one.version, name: "Grace" });
    await assertFails("users.update", update(one.id, { version: one.version, name: "Eve" }), { type: "changed", version: next.version });
  });

  test("gives rights only to whom signed in a moment ago", async () => {
    const { id } = await create();
    assert.equal((await update(id, { name: "Countess" }, longSignedIn())).name, "Countess");
    for (const rights of [{ role: "viewer" }, { isVerified: true }, { email: newAddress() }] as const) {
      await assertFails("users.update", update(id, rights, longSignedIn()), { type: "reauthenticate" });
    }
  });

  test("holds a name and an age to the rules of new ones", async () => {
    const { id } = await create();
    await assertWrongFields(update(id, { email: "ada", name: "", age: 151 }), "age", "email", "name");
  });

  test("lets employees change their own name and age, and nothing that gives rights", async () => {
    const { id } = await create({ role: "employee" });
    const self = as("employee", id);
    const changed = await update(id, { name: "Ada L.", age: 36 }, self);
    assert.deepEqual([changed.name, changed.age], ["Ada L.", 36]);
    for (const rights of [{ role: "administrator" }, { isVerified: true }, { email: newAddress() }] as const) {
      assert.equal(await outcomeOf(update(id, rights, self)), "FORBIDDEN", JSON.stringify(rights));
    }
    assert.equal(await outcomeOf(update(id, { name: "Ada" }, as("viewer", id))), "FORBIDDEN", "viewers change nothing");
  });

  test("lets administrators alone change other users", async () => {
    const { id } = await create();
    await assertOutcomes(WRITERS, (client) => update(id, { name: "Countess" }, client));
  });
});

describe("users.delete", () => {
  const remove = (id: UserId, client: Client = administrator()) => client.users.delete.mutate({ id });
  // Else the first user who registers becomes administrator, whom nobody deletes.
  before(() => create({ role: "administrator", isVerified: true }));

  test("takes the user away, and signs them out", async () => {
    const { id, email, refreshToken } = await register();
    assert.equal(await remove(id), undefined);
    await assertFails("users.get", administrator().users.get.query({ id }), { type: "missing", value: id });
    await assertFails("auth.refresh", clientWith().auth.refresh.mutate({ refreshToken }), { type: "ended" });
    assert.equal((await create({ email })).email, email, "the address is free again");
  });

  test("fails for an unknown user, and for one who was changed meanwhile", async () => {
    await assertFails("users.delete", remove(UNKNOWN), { type: "missing", value: UNKNOWN });
    const { id, version } = await create();
    const next = await administrator().users.update.mutate({ id, name: "Grace" });
    const late = administrator().users.delete.mutate({ id, version });
    await assertFails("users.delete", late, { type: "changed", version: next.version });
  });

  test("is for those who change every user", async () => {
    for (const [role, outcome] of Object.entries(WRITERS)) {
      const { id } = await create();
      await assertOutcomes({ [role]: outcome }, (client) => remove(id, client));
    }
  });
});

describe("users.signOut", () => {
  const signOut = (id: UserId, client: Client = administrator()) => client.users.signOut.mutate({ id });

  test("ends every device's session, and tells the user", async () => {
    const { id, email, refreshToken } = await register();
    assert.deepEqual(await signOut(id), { count: 1 });
    await assertFails("auth.refresh", clientWith().auth.refresh.mutate({ refreshToken }), { type: "ended" });
    assert.equal((await service.mails(email))[0]?.subject, "You were signed out everywhere");
    assert.deepEqual(await signOut(id), { count: 0 });
  });

  test("fails for an unknown user", () => assertFails("users.signOut", signOut(UNKNOWN), { type: "missing", value: UNKNOWN }));

  test("is for those who change every user", async () => {
    const { id } = await create();
    await assertOutcomes(WRITERS, (client) => signOut(id, client));
  });
});

describe("the last administrator who can act", () => {
  test("is neither deleted nor given another role, until there is another one", async () => {
    const client = administrator();
    const last = await create({ role: "administrator", isVerified: true });
    await create({ role: "administrator" });
    const others = await allPages((cursor: Cursor | null) => client.users.list.query({ role: "administrator", isVerified: true, cursor }));
    for (const { id } of others) if (id !== last.id) await client.users.delete.mutate({ id });
    const refused = { type: "lastAdministrator" } as const;
    await assertFails("users.delete", client.users.delete.mutate({ id: last.id }), refused);
    await assertFails("users.update", client.users.update.mutate({ id: last.id, role: "viewer" }), refused);
    await assertFails("users.update", client.users.update.mutate({ id: last.id, isVerified: false }), refused);
    await create({ role: "administrator", isVerified: true });
    assert.equal((await client.users.update.mutate({ id: last.id, role: "viewer" })).role, "viewer");
  });
});

describe("users.list", () => {
  const list = (input: NonNullable<UsersListInput>) =>
    allPages((cursor: Cursor | null) => administrator().users.list.query({ ...input, limit: 2, cursor }));
  /** The names of those whom the test below created, in the list's order. */
  const namesOf = async (input: NonNullable<UsersListInput>) =>
    (await list(input)).filter(({ id }) => created.has(id)).map(({ name }) => name);
  const created = new Set<UserId>();

  before(async () => {
    const people: Partial<UsersCreateInput>[] = [
      { name: "List b", email: `z.${newAddress()}`, age: 120, role: "employee" },
      { name: "list A", email: `Y.${newAddress()}`, age: 140, isVerified: true },
      { name: "List c", email: `x.${newAddress()}`, age: null, role: "employee", isVerified: true },
      { name: "list D", email: `W.${newAddress()}`, age: 130 },
    ];
    for (const person of people) created.add((await create(person)).id);
  });

  test("sorts by each field, in both directions", async () => {
    const [b, A, c, D] = ["List b", "list A", "List c", "list D"];
    const orders = { createdAt: [b, A, c, D], age: [c, b, D, A], name: [A, b, c, D], email: [D, c, A, b] };
    for (const [field, order] of Object.entries(orders)) {
      assert.deepEqual(await namesOf({ sort: field as "name" }), order, field);
      assert.deepEqual(await namesOf({ sort: `-${field}` as "-name" }), order.toReversed(), `-${field}`);
    }
    assert.deepEqual(await namesOf({}), [D, c, A, b], "newest first");
  });

  test("filters by age, which is the order then", async () => {
    assert.deepEqual(await namesOf({ age: 130 }), ["list D"]);
    assert.deepEqual(await namesOf({ ageMin: 121 }), ["list D", "list A"]);
    assert.deepEqual(await namesOf({ ageMin: 120, ageMax: 130 }), ["List b", "list D"]);
    assert.deepEqual(await namesOf({ ageMin: 120, ageMax: 130, sort: "-age" }), ["list D", "List b"]);
    assert.deepEqual(await namesOf({ ageMin: 120, ageMax: 130, sort: "-createdAt" }), ["list D", "List b"]);
    await assertWrongFields(administrator().users.list.query({ ageMin: 151 }), "ageMin");
  });

  test("filters by role and by whether the address is verified", async () => {
    assert.deepEqual(await namesOf({ role: "employee" }), ["List c", "List b"]);
    assert.deepEqual(await namesOf({ role: "employee", sort: "name" }), ["List b", "List c"]);
    assert.deepEqual(await namesOf({ isVerified: true }), ["List c", "list A"]);
    assert.deepEqual(await namesOf({ isVerified: false, role: "employee" }), ["List b"]);
  });

  test("gives every user once, in pages of the size that was asked for", async () => {
    const ids = (await list({})).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "a user is there twice");
    const { items, next } = await administrator().users.list.query({ limit: 3 });
    assert.deepEqual([items.map(({ id }) => id), next === null], [ids.slice(0, 3), false]);
    await assertWrongFields(administrator().users.list.query({ limit: 0 }), "limit");
    await assertWrongFields(administrator().users.list.query({ limit: 101 }), "limit");
  });

  test("is for those who read", () => assertOutcomes(READERS, (client) => client.users.list.query()));
});
