// What the tests of the domains share: the service of this tree, started for each file of them, and those who call it.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { TRPCClientError } from "@trpc/client";
import { createClient, failureOf, type AppRouter, type ErrorData, type Failures, type ProcedureName, type UserId } from "service";
import { mailedToken, REFERENCE, startHere, type Service } from "../typescript/src/service.js";

export type Client = ReturnType<typeof createClient>;

export let service: Service;
before(async () => {
  service = await startHere({}, [], REFERENCE);
});
after(() => service?.stop());

/** An id that nothing has. */
export const UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";

const PASSWORD = "seven grey herons wade";

/** An address that no user has yet. */
export const newAddress = () => `${crypto.randomUUID()}@example.com`;

/** A client with this token, or with none. */
export const clientWith = (token?: string): Client => createClient({ url: service.url, token });

/** A client of a caller with this role; `subject` is who calls, a new id if left out. */
export const as = (role: string, subject?: string): Client => clientWith(service.token(role, subject));

/** A client of an administrator. */
export const administrator = (): Client => clientWith(service.administrator);

/** Signs in with tokens. */
export async function signIn(email: string): Promise<Client> {
  return clientWith((await signedIn(email)).tokens.accessToken);
}

async function signedIn(email: string) {
  const { user, tokens } = await clientWith().auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
  assert.ok(tokens !== null, 'the sign-in with `keep: "tokens"` gave no tokens');
  return { user, tokens };
}

/** Registers a user, proves the address, and signs in with tokens. */
export async function register(): Promise<{ id: UserId; email: string; refreshToken: string; client: Client }> {
  const [email, anybody] = [newAddress(), clientWith()];
  await anybody.auth.register.mutate({ email, name: "Grace", password: PASSWORD });
  await anybody.auth.verifyEmail.mutate({ token: await mailedToken(service, email), password: PASSWORD });
  const { user, tokens } = await signedIn(email);
  return { id: user.id, email, refreshToken: tokens.refreshToken, client: clientWith(tokens.accessToken) };
}

/** The error data of a call that must be refused. */
async function refusal(call: Promise<unknown>): Promise<{ error: unknown; data: ErrorData }> {
  const error: unknown = await call.then(() => assert.fail("the call succeeded; it must be refused"), (error: unknown) => error);
  assert.ok(error instanceof TRPCClientError, `no answer of the service: ${String(error)}`);
  const { data } = error as TRPCClientError<AppRouter>;
  assert.ok(data, `no answer of the service: ${error.message}`);
  return { error, data };
}

/** Asserts that a call is refused with this failure of its procedure. */
export async function assertFails<P extends ProcedureName>(procedure: P, call: Promise<unknown>, expected: Failures[P]): Promise<void> {
  const { error, data } = await refusal(call);
  assert.deepEqual(failureOf(procedure, error), expected, `${data.code} instead of the failure of ${procedure}`);
}

/** Asserts that a call is refused because these fields of its input, and no others, are wrong. */
export async function assertWrongFields(call: Promise<unknown>, ...expected: string[]): Promise<void> {
  const { data } = await refusal(call);
  assert.deepEqual([data.code, (data.fields ?? []).map(({ path }) => path).sort()], ["BAD_REQUEST", expected.sort()]);
}

/** `OK`, or the code with which a call is refused. */
export const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(() => "OK", async (error: unknown) => (await refusal(Promise.reject(error))).data.code);

/**
 * Asserts what comes of a call by each of these roles, and by `nobody`, who is not signed in. Roles that are not named are
 * not asked: another one changes nothing here.
 */
export async function assertOutcomes(expected: Readonly<Record<string, string>>, call: (client: Client) => Promise<unknown>): Promise<void> {
  const outcomes = Object.keys(expected).map(async (caller) => {
    const client = caller === "nobody" ? clientWith() : as(caller);
    return [caller, await outcomeOf(call(client))] as const;
  });
  assert.deepEqual(Object.fromEntries(await Promise.all(outcomes)), expected, "who may call is stated in the model's role.rs and in the procedure's `auth`");
}

/** All entries of a list, page by page. */
export async function allPages<T, C>(page: (cursor: C | null) => Promise<{ items: T[]; next: C | null }>): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: C | null = null; ; ) {
    const { items, next }: { items: T[]; next: C | null } = await page(cursor);
    all.push(...items);
    if (next === null) return all;
    cursor = next;
  }
}
