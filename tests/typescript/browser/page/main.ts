// The page: registers, signs in and out with its own form, shows who is signed in, reads and writes; opened by the link
// of a mail, it proves the address. `?keep=tokens` signs in with tokens, and not with a cookie.

import type { TRPCClientError } from "@trpc/client";
import { createClient, createSession, failureOf, type AppRouter } from "@onefold/testbed";

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
  show(id, await call().catch((error: unknown) => failureIn(error) ?? codeOf(error)));
const failureIn = (error: unknown) => failureOf("auth.login", error)?.type ?? failureOf("auth.verifyEmail", error)?.type;
/** `UNAUTHORIZED`, or what else it says. */
const codeOf = (error: unknown) => (error as TRPCClientError<AppRouter>).data?.code ?? String(error);

const form = document.querySelector("form") as HTMLFormElement;
const filledIn = () => Object.fromEntries(new FormData(form)) as { email: string; password: string };
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void told("who", async () => (await session.signIn(filledIn())).email);
});
element("#out").addEventListener("click", () => void told("who", async () => (await session.signOut(), "nobody")));
element("#read").addEventListener("click", () =>
  void told("said", async () => `${(await client.posts.list.query()).items.length} posts`));
element("#write").addEventListener("click", () =>
  void told("said", async () => `wrote ${(await client.posts.create.mutate({ title: "Hello", body: "From a page." })).title}`));

element("#register").addEventListener("click", () =>
  void told("said", async () => (await client.auth.register.mutate({ ...filledIn(), name: "Ada" }), "mailed")));

// The link of a mail. In the browser that registered it confirms the address at once; in any other the page asks for a
// password: that of the registration, or another one that is chosen here.
const token = /^#token=(.+)$/.exec(location.hash)?.[1] ?? "";
const confirm = (password?: string) =>
  told("said", async () => (await client.auth.verifyEmail.mutate({ token, ...(password && { password }) }), "proved"));
element("#confirm").addEventListener("click", () => void confirm(filledIn().password));
element("#choose").addEventListener("click", () =>
  void told("said", async () => (await client.auth.resetPassword.mutate({ token, password: filledIn().password }), "chosen")));
if (token !== "") await confirm();
await told("who", () => client.auth.me.query().then((me) => me.email, () => "nobody"));
