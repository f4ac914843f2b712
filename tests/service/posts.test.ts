// The domain `posts`: what people write.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Cursor, Post, PostId, UserId } from "service";
import {
  administrator, allPages, as, assertFails, assertOutcomes, assertWrongFields, outcomeOf, register, UNKNOWN_ID, type Client,
} from "./support.js";

/** Who reads, and who does not. */
const READERS = { nobody: "UNAUTHORIZED", guest: "FORBIDDEN", viewer: "OK", employee: "OK", administrator: "OK" };

const newAuthor = (): UserId => crypto.randomUUID() as string as UserId;

const write = (client: Client, title = "Lunch", body = "At noon."): Promise<Post> => client.posts.create.mutate({ title, body });

describe("posts.create", () => {
  test("gives the post an author, dates and its first version", async () => {
    const author = newAuthor();
    const post = await write(as("employee", author), "Gruß 🍰", "Zeile 1\nZeile 2");
    const { id, createdAt, ...rest } = post;
    assert.deepEqual(rest, { authorId: author, title: "Gruß 🍰", body: "Zeile 1\nZeile 2", updatedAt: createdAt, version: 1 });
    assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000, createdAt);
    assert.deepEqual(await administrator().posts.get.query({ id }), post);
  });

  test("fails for a caller who is no user", async () => {
    await assertFails("posts.create", write(as("administrator", "robot")), { type: "notAUser" });
  });

  test("takes a title of 1 to 200 characters and a text of 1 to 20,000", async () => {
    const client = administrator();
    await write(client, "é".repeat(200), "é".repeat(20_000));
    await assertWrongFields(write(client, "", ""), "title", "body");
    await assertWrongFields(write(client, "é".repeat(201), "é".repeat(20_001)), "title", "body");
  });

  test("is for those who write", async () => {
    await assertOutcomes({ ...READERS, viewer: "FORBIDDEN" }, (client) => write(client));
  });
});

describe("posts.get and posts.byIds", () => {
  test("fetch one, and many in the order that was asked for", async () => {
    const client = administrator();
    const [lunch, dinner] = [await write(client), await write(client, "Dinner")];
    assert.deepEqual(await client.posts.get.query({ id: lunch.id }), lunch);
    const ids = [dinner.id, UNKNOWN_ID as PostId, lunch.id, dinner.id];
    assert.deepEqual(await client.posts.byIds.query({ ids }), [dinner, lunch]);
  });

  test("fail for an unknown id, and leave it out", async () => {
    const id = UNKNOWN_ID as PostId;
    await assertFails("posts.get", administrator().posts.get.query({ id }), { type: "missing", value: id });
    assert.deepEqual(await administrator().posts.byIds.query({ ids: [id] }), []);
  });

  test("take 1 to 100 ids", async () => {
    const byIds = (count: number) => administrator().posts.byIds.query({ ids: Array.from({ length: count }, () => UNKNOWN_ID as PostId) });
    await assertWrongFields(byIds(0), "ids");
    assert.deepEqual(await byIds(100), []);
    await assertWrongFields(byIds(101), "ids");
  });

  test("are for those who read", async () => {
    const { id } = await write(administrator());
    await assertOutcomes(READERS, (client) => client.posts.get.query({ id }));
    await assertOutcomes(READERS, (client) => client.posts.byIds.query({ ids: [id] }));
  });
});

describe("posts.update", () => {
  test("changes what is named, and dates it", async () => {
    const client = administrator();
    const post = await write(client);
    const changed = await client.posts.update.mutate({ id: post.id, body: "At one." });
    assert.deepEqual(changed, { ...post, body: "At one.", version: post.version + 1, updatedAt: changed.updatedAt });
    assert.ok(changed.updatedAt >= post.updatedAt);
  });

  test("fails for an unknown post, and for one that was changed meanwhile", async () => {
    const client = administrator();
    const unknown = UNKNOWN_ID as PostId;
    await assertFails("posts.update", client.posts.update.mutate({ id: unknown, title: "Dinner" }), { type: "missing", value: unknown });
    const { id, version } = await write(client);
    const next = await client.posts.update.mutate({ id, version, title: "Dinner" });
    const late = client.posts.update.mutate({ id, version, title: "Supper" });
    await assertFails("posts.update", late, { type: "changed", version: next.version });
  });

  test("holds a title and a text to the rules of new ones", async () => {
    const { id } = await write(administrator());
    await assertWrongFields(administrator().posts.update.mutate({ id, title: "", body: "é".repeat(20_001) }), "title", "body");
  });
});

describe("posts.delete", () => {
  test("takes the post away", async () => {
    const client = administrator();
    const { id } = await write(client);
    assert.equal(await client.posts.delete.mutate({ id }), undefined);
    await assertFails("posts.get", client.posts.get.query({ id }), { type: "missing", value: id });
  });

  test("fails for an unknown post, and for one that was changed meanwhile", async () => {
    const client = administrator();
    const unknown = UNKNOWN_ID as PostId;
    await assertFails("posts.delete", client.posts.delete.mutate({ id: unknown }), { type: "missing", value: unknown });
    const { id, version } = await write(client);
    const next = await client.posts.update.mutate({ id, title: "Later" });
    await assertFails("posts.delete", client.posts.delete.mutate({ id, version }), { type: "changed", version: next.version });
  });
});

describe("a post's author", () => {
  const change = (client: Client, id: PostId) => client.posts.update.mutate({ id, title: "Supper" });
  const remove = (client: Client, id: PostId) => client.posts.delete.mutate({ id });

  test("changes and deletes it as an employee; other employees do not, and administrators do", async () => {
    const author = newAuthor();
    for (const call of [change, remove]) {
      const { id } = await write(as("employee", author));
      await assertOutcomes({ nobody: "UNAUTHORIZED", guest: "FORBIDDEN", viewer: "FORBIDDEN", employee: "FORBIDDEN" }, (client) => call(client, id));
      assert.equal(await outcomeOf(call(as("employee", author), id)), "OK");
      const other = await write(as("employee", author));
      assert.equal(await outcomeOf(call(administrator(), other.id)), "OK");
    }
  });

  test("does so no longer as a viewer", async () => {
    const author = newAuthor();
    const { id } = await write(as("employee", author));
    for (const call of [change, remove]) assert.equal(await outcomeOf(call(as("viewer", author), id)), "FORBIDDEN");
  });

  test("may be deleted: the post stays", async () => {
    // The first user who registers becomes administrator, and the last administrator is not deleted.
    await register();
    const author = await register();
    const post = await write(as("employee", author.id));
    await administrator().users.delete.mutate({ id: author.id });
    assert.deepEqual(await administrator().posts.get.query({ id: post.id }), post);
  });
});

describe("posts.list", () => {
  const list = (input: { authorId?: UserId; sort?: "createdAt" | "-createdAt" | "title" | "-title" }) =>
    allPages((cursor: Cursor | null) => administrator().posts.list.query({ ...input, limit: 2, cursor }));
  const titlesOf = async (input: Parameters<typeof list>[0]) => (await list(input)).map(({ title }) => title);

  test("gives an author's posts in each order, page by page", async () => {
    const author = newAuthor();
    for (const title of ["b", "D", "a", "C", "e"]) await write(as("employee", author), title);
    await write(administrator(), "of another author");
    assert.deepEqual(await titlesOf({ authorId: author }), ["e", "C", "a", "D", "b"], "newest first");
    assert.deepEqual(await titlesOf({ authorId: author, sort: "-createdAt" }), ["e", "C", "a", "D", "b"]);
    assert.deepEqual(await titlesOf({ authorId: author, sort: "createdAt" }), ["b", "D", "a", "C", "e"]);
    assert.deepEqual(await titlesOf({ authorId: author, sort: "title" }), ["a", "b", "C", "D", "e"], "whatever the case");
    assert.deepEqual(await titlesOf({ authorId: author, sort: "-title" }), ["e", "D", "C", "b", "a"]);
  });

  test("gives everybody's posts, each once", async () => {
    const made = [await write(as("employee")), await write(as("employee"))].map(({ id }) => id);
    for (const sort of ["createdAt", "-createdAt", "title", "-title"] as const) {
      const ids = (await list({ sort })).map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, `${sort}: a post is there twice`);
      assert.deepEqual(made.filter((id) => !ids.includes(id)), [], `${sort}: a post is missing`);
    }
  });

  test("is empty for an author of nothing", async () => {
    assert.deepEqual(await administrator().posts.list.query({ authorId: newAuthor() }), { items: [], next: null });
  });

  test("is for those who read", () => assertOutcomes(READERS, (client) => client.posts.list.query()));
});

test("account.export holds what the user wrote, newest first, and nobody else's", async () => {
  const user = await register();
  const titles = ["first", "second"];
  for (const title of titles) await write(as("employee", user.id), title);
  await write(administrator(), "of another author");
  const { posts, entries } = await user.client.account.export.mutate();
  assert.deepEqual(posts.map(({ title }) => title), titles.toReversed());
  assert.deepEqual(entries, [], "the audit log is in lists of its own");
});
