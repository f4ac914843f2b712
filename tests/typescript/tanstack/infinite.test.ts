// Infinite queries of TanStack's tRPC adapter against the running service: the adapter adds `direction` to the input,
// and `cursor: null` to that of the first page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, type TRPCLink } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import type { AppRouter, Cursor } from "@onefold/testbed";

type Service = { url: string; administrator: string; stop(): Promise<void> };

let service: Service;
const titles = ["One", "Two", "Three", "Four", "Five"];

before(async () => {
  // Compiled beside this, with a configuration of its own.
  const { startService } = (await import(new URL("../../build/service.js", import.meta.url).href)) as { startService(): Promise<Service> };
  service = await startService();
  const client = given(httpLink(options())).client;
  for (const title of titles) await client.posts.create.mutate({ title, body: "Text." });
});
after(() => service.stop());

const options = () => ({ url: service.url, headers: { authorization: `Bearer ${service.administrator}` } });

function given(link: TRPCLink<AppRouter>) {
  const client = createTRPCClient<AppRouter>({ links: [link] });
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return { client, queryClient, trpc: createTRPCOptionsProxy<AppRouter>({ client, queryClient }) };
}

const ways: Record<string, () => TRPCLink<AppRouter>> = {
  "by GET": () => httpLink(options()),
  "by POST": () => httpLink({ ...options(), methodOverride: "POST" }),
  "in a batch by GET": () => httpBatchLink(options()),
  "in a batch by POST": () => httpBatchLink({ ...options(), methodOverride: "POST" }),
  "in a batch of lines": () => httpBatchStreamLink(options()),
};

for (const [way, link] of Object.entries(ways)) {
  test(`a list is read on and on ${way}`, async () => {
    const { queryClient, trpc } = given(link());
    const read = () =>
      queryClient.fetchInfiniteQuery({
        ...trpc.posts.list.infiniteQueryOptions({ limit: 2, sort: "createdAt" }, { getNextPageParam: ({ next }) => next ?? undefined }),
        pages: 10,
      });
    // Two lists at once, so that a batch has two calls.
    const users = queryClient.fetchInfiniteQuery(
      trpc.users.list.infiniteQueryOptions({ limit: 2 }, { initialCursor: null, getNextPageParam: ({ next }) => next ?? undefined }),
    );
    const [{ pages }, first] = await Promise.all([read(), users]);
    assert.deepEqual(pages.map(({ items }) => items.map(({ title }) => title)), [["One", "Two"], ["Three", "Four"], ["Five"]]);
    assert.ok(Array.isArray(first.pages[0]?.items));
    for (const list of ["audit", "clients"] as const) {
      const options = { getNextPageParam: ({ next }: { next: Cursor | null }) => next ?? undefined };
      const page =
        list === "audit"
          ? await queryClient.fetchInfiniteQuery(trpc.audit.list.infiniteQueryOptions({ limit: 2 }, options))
          : await queryClient.fetchInfiniteQuery(trpc.grants.clientsList.infiniteQueryOptions({ limit: 2 }, options));
      assert.equal(page.pages.length, 1, list);
    }
  });

  test(`what nobody adds stays refused ${way}`, async () => {
    const { client } = given(link());
    const list = client.posts.list.query as (input: object) => Promise<unknown>;
    for (const input of [{ direction: "sideways" }, { directions: "forward" }, { cursor: null, trpc: {} }]) {
      await assert.rejects(list(input), /unknown member/, JSON.stringify(input));
    }
    const get = client.posts.get.query as (input: object) => Promise<unknown>;
    await assert.rejects(get({ id: "01890a5d-ac96-774b-bcce-b302099a8057", direction: "forward" }), /unknown member/);
  });
}
