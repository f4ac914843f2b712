// What the compiler must accept, and what it must refuse. Nothing here runs: `tsc` is the test.

import { createTRPCClient, httpBatchLink, httpLink, type TRPCClientError } from "@trpc/client";
import type { inferRouterError, inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import {
  createClient,
  createSession,
  failureOf,
  type AppRouter,
  type Cursor,
  type ErrorData,
  type Failures,
  type PostId,
  type PostsListInput,
  type PostsUpdateInput,
  type ProcedureName,
  type Timestamp,
  type User,
  type UserId,
  type UsersCreateInput,
  type UsersUpdateFailure,
} from "@onefold/testbed";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where two types are the same one. */
const same = <A, B>(_: Equal<A, B>): void => {};

declare const client: ReturnType<typeof createClient>;
declare const userId: UserId;
declare const postId: PostId;

export async function inputs(): Promise<void> {
  await client.users.get.query({ id: userId });
  await client.users.get.query({ id: "01890a5d-ac96-774b-bcce-b302099a8057" as UserId });
  // @ts-expect-error a plain text is no id
  await client.users.get.query({ id: "01890a5d-ac96-774b-bcce-b302099a8057" });
  // @ts-expect-error a post's id is no user's
  await client.users.get.query({ id: postId });
  // @ts-expect-error nor the other way round
  await client.posts.get.query({ id: userId });
  // @ts-expect-error the wrong type
  await client.users.get.query({ id: 7 });
  // @ts-expect-error null is not allowed
  await client.users.get.query({ id: null });
  // @ts-expect-error a field is missing
  await client.users.get.query({});
  // @ts-expect-error the input is missing
  await client.users.get.query();
  // @ts-expect-error an unknown field
  await client.users.get.query({ id: userId, deep: true });

  const input: UsersCreateInput = { email: "ada@example.com", name: "Ada" };
  await client.users.create.mutate(input);
  await client.users.create.mutate({ ...input, age: 36, role: "employee", isVerified: null });
  // @ts-expect-error no such role
  await client.users.create.mutate({ ...input, role: "king" });
  // @ts-expect-error a number as text
  await client.users.create.mutate({ ...input, age: "36" });
  // @ts-expect-error the name is missing
  await client.users.create.mutate({ email: "ada@example.com" });
  // @ts-expect-error null is no name
  await client.users.create.mutate({ email: "ada@example.com", name: null });
}

export async function optionalInputs(cursor: Cursor | null): Promise<void> {
  await client.users.list.query();
  await client.users.list.query(undefined);
  await client.users.list.query(undefined, { signal: new AbortController().signal });
  await client.users.list.query({});
  await client.users.list.query({ sort: "-age", ageMin: 18, cursor });
  // @ts-expect-error no such order
  await client.users.list.query({ sort: "shoeSize" });
  // @ts-expect-error a cursor comes from the service
  await client.users.list.query({ cursor: "AAAA" });
  // @ts-expect-error absent is not undefined (exactOptionalPropertyTypes)
  await client.users.list.query({ cursor: undefined });
  const filter: PostsListInput = { authorId: userId };
  await client.posts.list.query(filter);

  await client.health.ping.query();
  await client.health.ping.query(undefined, { signal: new AbortController().signal });
  // @ts-expect-error it takes no input
  await client.health.ping.query({});
}

export async function patches(): Promise<void> {
  await client.users.update.mutate({ id: userId });
  await client.users.update.mutate({ id: userId, age: null, version: 3 });
  // @ts-expect-error a name can be changed but not taken away
  await client.users.update.mutate({ id: userId, name: null });
  // @ts-expect-error absent is not undefined (exactOptionalPropertyTypes)
  await client.users.update.mutate({ id: userId, name: undefined });
  // @ts-expect-error which user?
  await client.users.update.mutate({ name: "Ada" });
  same<PostsUpdateInput["title"], string | undefined>(true);
}

export async function methods(): Promise<void> {
  // @ts-expect-error a mutation is no query
  await client.users.create.query({ email: "ada@example.com", name: "Ada" });
  // @ts-expect-error a query is no mutation
  await client.users.get.mutate({ id: userId });
  // @ts-expect-error no such procedure
  await client.users.promote.mutate({ id: userId });
  // @ts-expect-error no such domain
  await client.unicorns.list.query();
}

export async function outputs(): Promise<void> {
  const user = await client.users.get.query({ id: userId });
  same<typeof user, User>(true);
  same<typeof user.id, UserId>(true);
  same<typeof user.createdAt, Timestamp>(true);
  same<typeof user.age, number | null>(true);
  same<typeof user.role, "administrator" | "employee" | "viewer" | "guest">(true);
  // An output's id goes straight into the next call.
  await client.posts.list.query({ authorId: user.id });
  // @ts-expect-error an optional value is null, not a number at once
  user.age.toFixed();
  // @ts-expect-error no such field
  void user.password;

  const page = await client.users.list.query();
  same<typeof page, { items: User[]; next: Cursor | null }>(true);
  const pong = await client.health.ping.query();
  same<typeof pong, string>(true);
  const nothing = await client.users.delete.mutate({ id: userId });
  same<typeof nothing, undefined>(true);
}

export function inference(): void {
  type Inputs = inferRouterInputs<AppRouter>;
  type Outputs = inferRouterOutputs<AppRouter>;
  same<Inputs["users"]["get"], { id: UserId }>(true);
  same<Inputs["users"]["create"], UsersCreateInput>(true);
  // `void` is the official client's own way to say that an input may be left out.
  same<Inputs["posts"]["list"], PostsListInput | undefined | void>(true);
  same<Inputs["health"]["ping"], undefined | void>(true);
  same<Outputs["users"]["get"], User>(true);
  same<Outputs["posts"]["delete"], undefined>(true);
  same<Outputs["health"]["ping"], string>(true);
  same<inferRouterError<AppRouter>["data"], ErrorData>(true);
  // No `any` hides in there: it would be the same as everything.
  same<Outputs["users"]["list"]["items"][number]["email"], string>(true);
  same<keyof Inputs, "account" | "audit" | "auth" | "grants" | "health" | "oauth" | "posts" | "sessions" | "users">(true);
}

/** Fails to compile when a failure is added that nobody handles. */
export function exhaustive(failure: UsersUpdateFailure): string {
  switch (failure.type) {
    case "missing":
      same<typeof failure.value, UserId>(true);
      return failure.value;
    case "emailTaken":
      return failure.value;
    case "changed":
      same<typeof failure.version, number>(true);
      return String(failure.version);
    case "lastAdministrator":
    case "reauthenticate":
      // @ts-expect-error these carry nothing
      return failure.value;
    default:
      failure satisfies never;
      return "";
  }
}

export function forgetful(failure: UsersUpdateFailure): void {
  switch (failure.type) {
    case "missing":
    case "emailTaken":
    case "changed":
      return;
    default:
      // @ts-expect-error `lastAdministrator` is left
      failure satisfies never;
  }
}

export function failures(error: unknown): void {
  const failure = failureOf("users.get", error);
  same<typeof failure, { type: "missing"; value: UserId } | undefined>(true);
  const none = failureOf("health.ping", error);
  same<typeof none, undefined>(true);
  // @ts-expect-error no such procedure
  failureOf("users.promote", error);
  // @ts-expect-error no such failure
  if (failure?.type === "emailTaken") return;
  same<keyof Failures, ProcedureName>(true);
}

export function errors(error: TRPCClientError<AppRouter>): void {
  same<typeof error.data, ErrorData | undefined | null>(true);
  const { data } = error;
  if (!data) return;
  same<typeof data.requestId, string>(true);
  same<typeof data.httpStatus, number>(true);
  const first = data.fields?.[0];
  same<typeof first, { path: string; message: string } | undefined>(true);
  if (data.code === "NOT_FOUND") return;
  // @ts-expect-error no such code
  if (data.code === "LOST") return;
}

export function clients(): void {
  createTRPCClient<AppRouter>({ links: [httpLink({ url: "/trpc" })] });
  createClient({ url: "/trpc" });
  createClient({ url: "/trpc", token: "t", pathSeparator: "-", fetch });
  createClient({ url: "/trpc", token: process.env["TOKEN"] });
  createClient({ url: "/trpc", batch: true });
  createClient({ url: "/trpc", token: async () => "t" });
  // @ts-expect-error where to?
  createClient({ token: "t" });
  // @ts-expect-error the client has no such separator
  createClient({ url: "/trpc", pathSeparator: "+" });
}

export async function sessions(): Promise<void> {
  const session = createSession({ url: "/trpc", onEnd: () => {} });
  createSession({ url: "/trpc", keep: "cookie" });
  createSession({ url: "/trpc", keep: "tokens", pathSeparator: "-", fetch });
  createSession({ url: "/trpc", keep: "tokens", storage: sessionStorage });
  // @ts-expect-error a cookie is kept by the browser
  createSession({ url: "/trpc", storage: localStorage });
  // @ts-expect-error no such way to keep it
  createSession({ url: "/trpc", keep: "forever" });
  // @ts-expect-error where to?
  createSession({ keep: "tokens" });

  createClient({ url: "/trpc", fetch: session.fetch });
  for (const link of [httpLink, httpBatchLink]) {
    createTRPCClient<AppRouter>({ links: [link({ url: "/trpc", fetch: session.fetch })] });
  }
  const { status }: Response = await session.fetch("/elsewhere", { method: "POST" });
  same<typeof status, number>(true);

  const me = await session.signIn({ email: "ada@example.com", password: "a" });
  same<typeof me, inferRouterOutputs<AppRouter>["auth"]["me"]>(true);
  // @ts-expect-error the session knows how it is kept
  await session.signIn({ email: "ada@example.com", password: "a", keep: "tokens" });
  // @ts-expect-error the password is missing
  await session.signIn({ email: "ada@example.com" });
  same<Awaited<ReturnType<typeof session.signOut>>, void>(true);
}
