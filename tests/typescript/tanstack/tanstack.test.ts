// TanStack Query over the generated types, with the versions that its tRPC adapter wants and with
// TypeScript 7. (The adapter asks for `queryOptions` of @tanstack/react-query; no component is drawn.)

import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpLink } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import type { AppRouter, PostId, User, UserId } from "@onefold/testbed";

const USER = {
  id: "01890a5d-ac96-774b-bcce-b302099a8057",
  email: "ada@example.com",
  name: "Ada",
  age: null,
  isVerified: true,
  role: "viewer",
  createdAt: "2026-01-31T12:00:00.000Z",
  version: 1,
};

/** A client whose service always answers with one user, and the addresses that it was asked at. */
function given() {
  const asked: string[] = [];
  const client = createTRPCClient<AppRouter>({
    links: [
      httpLink({
        url: "http://service.invalid/trpc",
        fetch: async (url) => {
          asked.push(String(url));
          return Response.json({ result: { data: USER } });
        },
      }),
    ],
  });
  const queryClient = new QueryClient();
  return { asked, queryClient, trpc: createTRPCOptionsProxy<AppRouter>({ client, queryClient }) };
}

test("two readers of one query fetch once", async () => {
  const { asked, queryClient, trpc } = given();
  const options = trpc.users.get.queryOptions({ id: USER.id as UserId }, { staleTime: 60_000 });
  const [one, other]: User[] = await Promise.all([queryClient.fetchQuery(options), queryClient.fetchQuery(options)]);
  assert.deepEqual(one, USER);
  assert.equal(other, one);
  assert.equal(asked.length, 1);

  const known: User | undefined = queryClient.getQueryData(trpc.users.get.queryKey({ id: USER.id as UserId }));
  assert.equal(known?.name, "Ada");
});

// Only the compiler reads this.
export function types(id: UserId, other: PostId) {
  const { trpc } = given();
  trpc.health.ping.queryOptions();
  trpc.users.list.queryOptions();
  trpc.users.list.queryOptions({ sort: "-age" });
  trpc.users.delete.mutationOptions({ onSuccess: (nothing: undefined) => nothing });
  trpc.users.create.mutationOptions({
    onSuccess: (user) => user.id satisfies UserId,
    onError: (error) => error.data?.fields?.[0]?.path satisfies string | undefined,
  });
  trpc.users.get.queryOptions({ id });
  // @ts-expect-error a post's id is no user's
  trpc.users.get.queryOptions({ id: other });
  // @ts-expect-error a plain text is no id
  trpc.users.get.queryOptions({ id: "ada" });
  // @ts-expect-error a mutation is no query
  trpc.users.create.queryOptions({ email: "ada@example.com", name: "Ada" });
  // @ts-expect-error no such order
  trpc.users.list.queryOptions({ sort: "shoeSize" });
}
