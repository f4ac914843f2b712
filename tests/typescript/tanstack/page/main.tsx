// A page with TanStack Query and its tRPC adapter: a list that goes on when a button is pressed.

import { QueryClient, QueryClientProvider, useInfiniteQuery } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { createRoot } from "react-dom/client";
import type { AppRouter } from "@onefold/testbed";

const told = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? "";

const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter>();
const trpcClient = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url: told("service"), headers: { authorization: `Bearer ${told("token")}` } })],
});
const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });

function Posts() {
  const trpc = useTRPC();
  const { data, error, fetchNextPage, hasNextPage, isFetching } = useInfiniteQuery(
    trpc.posts.list.infiniteQueryOptions({ limit: 2, sort: "createdAt" }, { getNextPageParam: ({ next }) => next ?? undefined }),
  );
  if (error !== null) return <p>{error.message}</p>;
  return (
    <>
      <ol>{data?.pages.flatMap(({ items }) => items).map(({ id, title }) => <li key={id}>{title}</li>)}</ol>
      {data === undefined || hasNextPage ? (
        <button disabled={isFetching} onClick={() => void fetchNextPage()}>
          More
        </button>
      ) : (
        <p id="end">That is all.</p>
      )}
    </>
  );
}

const place = document.querySelector("main");
if (place === null) throw new Error("no place");
createRoot(place).render(
  <QueryClientProvider client={queryClient}>
    <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
      <Posts />
    </TRPCProvider>
  </QueryClientProvider>,
);
