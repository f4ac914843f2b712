// Makes page.html.gz, the page at /graphql of the local service: GraphiQL with all that it needs, in one file, so that the
// program carries it and nothing is asked of a network. `npm ci && npm run build` after another version; `npm run check`
// fails when the page is another one than these packages make.
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const PAGE = new URL("page.html.gz", import.meta.url);
const read = (path) => readFileSync(new URL(`node_modules/${path}`, import.meta.url), "utf8");
/** A script in a page ends where this stands, even in a text of the script. */
const inline = (script) => script.replaceAll("</script", "<\\/script").replace(/^\/\/# sourceMappingURL=.*$/gm, "");
const license = (name) => `${name} ${JSON.parse(read(`${name}/package.json`)).version}\n\n${read(`${name}/LICENSE`).trim()}`;

const scripts = ["react/umd/react.production.min.js", "react-dom/umd/react-dom.production.min.js", "graphiql/graphiql.min.js"];
const page = `<!doctype html>
<!--
${["graphiql", "react", "react-dom"].map(license).join("\n\n").replaceAll("--", "- -")}
-->
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GraphiQL</title>
<style>${read("graphiql/graphiql.min.css")}
html,body,#graphiql{height:100%;margin:0}</style>
<div id="graphiql"></div>
${scripts.map((path) => `<script>${inline(read(path))}</script>`).join("\n")}
<script>
// Who is signed in by a cookie sends back the token against cross-site requests that came with the answer before; the first
// call that needs it is refused, and that answer has it.
let csrf = "";
async function ask(url, request) {
  const headers = new Headers(request.headers);
  if (csrf !== "") headers.set("x-csrf-token", csrf);
  const answer = await fetch(url, { ...request, headers });
  const [sent, given] = [csrf, answer.headers.get("x-csrf-token") ?? csrf];
  csrf = given;
  if (sent === given) return answer;
  return isRefused(await answer.clone().json()) ? ask(url, request) : answer;
}
// Whether nothing was done: each field is there for an error of its own that says so.
function isRefused({ data, errors = [] }) {
  const refused = errors.map(({ path = [] }) => (path.length === 1 ? path[0] : undefined));
  return errors.length > 0 && errors.every(({ extensions }) => extensions?.code === "FORBIDDEN")
    && Object.entries(data ?? {}).every(([name, value]) => value === null && refused.includes(name));
}
const fetcher = GraphiQL.createFetcher({ url: location.pathname, fetch: ask });
const query = new URLSearchParams(location.search).get("query") ?? undefined;
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, query }),
);
</script>
`;

if (!process.argv.includes("--check")) writeFileSync(PAGE, gzipSync(page, { level: 9 }));
else if (gunzipSync(readFileSync(PAGE)).toString() !== page) throw new Error("page.html.gz is old: `npm run build`");
