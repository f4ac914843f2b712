// The domain `account`: what this service adds to identity's own.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { AccountExportInput, AuditEntry, Cursor } from "service";
import contract from "service/contract.json" with { type: "json" };
import { allPages, as, assertFails, assertOutcomes, assertWrongFields, register, signIn, type Client } from "./support.js";

type List = NonNullable<NonNullable<AccountExportInput>["list"]>;

/** The names of the lists. Each part of an export holds one of them. */
const lists = contract.inputTypes.ExportedList.enum as List[];

/** All entries of the audit log in one of the lists. */
const entriesOf = (client: Client, list: List): Promise<AuditEntry[]> =>
  allPages(async (cursor: Cursor | null) => {
    const { entries, next } = await client.account.export.mutate({ list, cursor });
    return { items: entries, next };
  });

describe("account.export", () => {
  let user: Awaited<ReturnType<typeof register>>;
  before(async () => {
    // The first user who registers becomes administrator; this one is a user like all others.
    await register();
    user = await register();
  });

  test("holds the user, the ways to sign in and the devices", async () => {
    const exported = await user.client.account.export.mutate();
    assert.deepEqual([exported.user.id, exported.user.email], [user.id, user.email]);
    assert.deepEqual(exported.identities, []);
    assert.deepEqual(exported.sessions.map(({ kind, current }) => [kind, current]), [["tokens", true]]);
  });

  for (const list of lists) {
    test(`has the list \`${list}\`, with the user in each part`, async () => {
      const part = await user.client.account.export.mutate({ list });
      assert.equal(part.user.id, user.id);
    });
  }

  test("tells what the user did, the export included", async () => {
    const done = await entriesOf(user.client, "done");
    assert.ok(done.every(({ actor }) => actor === user.id), "an entry has another actor");
    const actions = done.map(({ action }) => action);
    for (const action of ["emailVerified", "signedIn", "dataExported"] as const) assert.ok(actions.includes(action), `${action} is missing`);
  });

  test("tells what others did to the user, without their network address", async () => {
    await as("administrator").users.signOut.mutate({ id: user.id });
    const client = await signIn(user.email);
    const byOthers = (await entriesOf(client, "undergone")).filter(({ actor }) => actor !== user.id && actor !== null);
    assert.ok(byOthers.length > 0, "the administrator's sign-out is missing");
    assert.ok(byOthers.every(({ address }) => address === ""), "an address of another user is told");
  });

  test("fails for a caller who is no user, and is refused without a sign-in", async () => {
    await assertFails("account.export", as("administrator", "robot").account.export.mutate(), { type: "notAUser" });
    await assertOutcomes({ nobody: "UNAUTHORIZED", viewer: "NOT_FOUND" }, (client) => client.account.export.mutate());
  });

  test("refuses the name of a list that is none", async () => {
    await assertWrongFields(as("viewer").account.export.mutate({ list: "everything" as List }), "list");
  });
});
