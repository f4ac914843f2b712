// A page with Relay: a list that goes on when a button is pressed.

import { Suspense } from "react";
import { createRoot } from "react-dom/client";
import { graphql, RelayEnvironmentProvider, useLazyLoadQuery, usePaginationFragment } from "react-relay";
import { Environment, Network, RecordSource, Store } from "relay-runtime";

const told = (name) => document.querySelector(`meta[name=${name}]`).content;
const headers = { "content-type": "application/json", authorization: `Bearer ${told("token")}` };

const network = Network.create(async ({ text }, variables) => {
  const body = JSON.stringify({ query: text, variables });
  const answer = await fetch(new URL("/graphql", told("service")), { method: "POST", headers, body });
  return answer.json();
});
const environment = new Environment({ network, store: new Store(new RecordSource()) });

function Page() {
  const query = useLazyLoadQuery(
    graphql`
      query mainQuery {
        ...main_posts
      }
    `,
    {},
  );
  return <Posts query={query} />;
}

function Posts({ query }) {
  const { data, hasNext, isLoadingNext, loadNext } = usePaginationFragment(
    graphql`
      fragment main_posts on Query
      @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" })
      @refetchable(queryName: "mainPaginationQuery") {
        postsList(first: $first, after: $after, sort: CREATED_AT) @connection(key: "main_postsList") {
          edges {
            node {
              id
              title
            }
          }
        }
      }
    `,
    query,
  );
  return (
    <>
      <ol>
        {data.postsList.edges.map(({ node }) => (
          <li key={node.id}>{node.title}</li>
        ))}
      </ol>
      {hasNext ? (
        <button disabled={isLoadingNext} onClick={() => loadNext(2)}>
          More
        </button>
      ) : (
        <p id="end">That is all.</p>
      )}
    </>
  );
}

createRoot(document.querySelector("main")).render(
  <RelayEnvironmentProvider environment={environment}>
    <Suspense>
      <Page />
    </Suspense>
  </RelayEnvironmentProvider>,
);
