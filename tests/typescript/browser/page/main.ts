// The page: signs in and out with its own form, shows who is signed in, reads and writes; opened by the link of a mail,
// it proves the address. `?keep=tokens` signs in with tokens, and not with a cookie.

import type { TRPCClientError } from "@trpc/client";
import { createClient, createSession, failureOf, type AppRouter } from "@onefold/backoffice";

const url = document.querySelector<HTMLMetaElement>("meta[name=service]")?.content ?? "";
const onEnd = () => show("who", "ended");
const isWithTokens = new URLSearchParams(location.search).get("keep") === "tokens";
const session = createSession(isWithTokens ? { url, keep: "tokens", storage: localStorage, onEnd } : { url, onEnd });
const client = createClient({ url, fetch: session.fetch });

const element = (selector: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`no ${selector}`);
  return found;
};
const show = (id: string, text: string) => void (element(`#${id}`).textContent = text);
const told = async (id: string, call: () => Promise<string>) =>
  show(id, await call().catch((error: unknown) => failureOf("auth.login", error)?.type ?? codeOf(error)));
/** `UNAUTHORIZED`, or what else it says. */
const codeOf = (error: unknown) => (error as TRPCClientError<AppRouter>).data?.code ?? String(error);

const form = document.querySelector("form") as HTMLFormElement;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(form)) as { email: string; password: string };
  void told("who", async () => (await session.signIn({ email, password })).email);
});
element("#out").addEventListener("click", () => void told("who", async () => (await session.signOut(), "nobody")));
element("#read").addEventListener("click", () =>
  void told("said", async () => `${(await client.posts.list.query()).items.length} posts`));
element("#write").addEventListener("click", () =>
  void told("said", async () => `wrote ${(await client.posts.create.mutate({ title: "Hello", body: "From a page." })).title}`));

const token = /^#token=(.+)$/.exec(location.hash)?.[1];
if (token !== undefined) await told("said", async () => (await client.auth.verify_email.mutate({ token }), "proved"));
await told("who", () => client.auth.me.query().then((me) => me.email, () => "nobody"));
