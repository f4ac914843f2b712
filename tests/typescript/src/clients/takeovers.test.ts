// Whose account it is that somebody registered with a stranger's address, by the generated client, as docs/identity.md
// shows the page behind the link of a mail.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient, failureOf } from "@onefold/testbed";
import { mailedToken, startService, type Service } from "../service.js";

let service: Service;
let client: ReturnType<typeof createClient>;
before(async () => {
  service = await startService();
  client = createClient({ url: service.url });
});
after(() => service.stop());

const STRANGERS = "nine crimson buses idle";
const OWNERS = "seven grey herons wade";

/** What the owner of a mailbox answers who is asked for a password. */
type Answer = { password: string; isNew: boolean; name?: string };

/** The page behind the link: it tries, and asks for a password when it has to. */
async function confirm(token: string, ask: () => Answer): Promise<void> {
  try {
    await client.auth.verifyEmail.mutate({ token });
  } catch (error) {
    if (failureOf("auth.verifyEmail", error)?.type !== "passwordNeeded") throw error;
    const { password, isNew, name } = ask();
    if (isNew) await client.auth.resetPassword.mutate({ token, password, name: name ?? null });
    else await client.auth.verifyEmail.mutate({ token, password });
  }
}

const signIn = (email: string, password: string) => client.auth.login.mutate({ email, password, keep: "tokens" });
const register = (email: string, name: string, password: string) =>
  client.auth.register.mutate({ email, name, password });

async function expectOut(email: string, password: string): Promise<void> {
  await assert.rejects(signIn(email, password), (error) => failureOf("auth.login", error)?.type === "wrongCredentials");
}

test("whoever registered confirms with their password", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  await register(email, "Ada", OWNERS);
  await confirm(await mailedToken(service, email), () => ({ password: OWNERS, isNew: false }));
  const { user } = await signIn(email, OWNERS);
  assert.deepEqual([user.isVerified, user.name], [true, "Ada"]);
});

test("whoever did not register chooses a password, and nothing stays of what a stranger chose", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  await register(email, "Mallory", STRANGERS);
  await expectOut(email, STRANGERS);
  await confirm(await mailedToken(service, email), () => ({ password: OWNERS, isNew: true, name: "Ada" }));
  await expectOut(email, STRANGERS);
  const { user } = await signIn(email, OWNERS);
  assert.deepEqual([user.isVerified, user.name], [true, "Ada"]);
});

test("a stranger's link that is still in the mailbox undoes nothing", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  await register(email, "Mallory", STRANGERS);
  const theirs = await mailedToken(service, email);
  await register(email, "Ada", OWNERS);
  await confirm(await mailedToken(service, email), () => ({ password: OWNERS, isNew: false }));
  for (const password of [OWNERS, STRANGERS]) {
    await assert.rejects(
      client.auth.verifyEmail.mutate({ token: theirs, password }),
      (error) => failureOf("auth.verifyEmail", error)?.type === "notValid",
    );
  }
  await expectOut(email, STRANGERS);
  assert.equal((await signIn(email, OWNERS)).user.name, "Ada");
});

test("what an administrator made is nobody's to register", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const administrator = createClient({ url: service.url, token: service.administrator });
  const made = await administrator.users.create.mutate({ email, name: "Ada", role: "administrator" });
  await register(email, "Mallory", STRANGERS);
  await expectOut(email, STRANGERS);
  assert.deepEqual(await administrator.users.get.query({ id: made.id }), made);
  await client.auth.resetPassword.mutate({ token: await mailedToken(service, email), password: OWNERS });
  await expectOut(email, STRANGERS);
  const { user } = await signIn(email, OWNERS);
  assert.deepEqual([user.id, user.role, user.name], [made.id, "administrator", "Ada"]);
});
