/** What a sign-in elsewhere answers behind `#error=`, in words. */
const WORDS = new Map([
  ["denied", "You were not signed in: at the other service somebody said no."],
  ["expired", "That took too long, was used before, or began in another browser. Begin again."],
  ["refused", "What the other service answers does not hold. Begin again; if it stays so, tell whoever runs this service."],
  ["unavailable", "The other service does not answer now. Try again later."],
  ["no_email", "The other service names no e-mail address that can be used here."],
  ["confirm_email", "A link was mailed to your address. Open it in this browser, and then sign in by the same button again."],
  ["sign_in_first", "There is an account with your address: sign in with its password, or choose a new one."],
  ["other_linked", "Another account of the same service is linked to yours."],
  ["taken", "The account elsewhere is somebody else's here."],
  ["registration_closed", "There is no account for you yet, and nobody makes one here by themselves: ask whoever runs the service."],
  ["other_domain", "There is no account for you yet, and only who has an address of certain domains makes one here."],
  ["other_account", "That is not the account which is linked to yours."],
  ["not_fresh", "The other service did not ask you anew. Sign out and in again."],
]);
const error = behindHash("error");
if (error !== "") said.textContent = WORDS.get(error) ?? "You were not signed in.";

const parameters = new URLSearchParams(location.search);
const asked = parameters.get("return_to") ?? "";
const next = asked !== "" && URL.canParse(asked, location.href) ? new URL(asked, location.href) : null;
// The origin alone does not say it: a `blob:` has that of the page that made it.
const goes = next !== null && next.protocol === location.protocol && next.host === location.host;

/** Goes on with whoever is signed in, or says who it is. */
const arrive = async () => {
  const answer = await fetch("/trpc/auth.me");
  if (!answer.ok) return;
  if (goes) return location.replace(next);
  part("#who").textContent = (await answer.json()).result.data.email ?? "";
  show("done");
  // A service may keep it to itself.
  const { ok } = await fetch("/docs");
  part("#docs").hidden = !ok;
};
const tryToArrive = () => arrive().catch(() => {});

on("#in form", async (input) => (await call("auth.login", input)) === "" && tryToArrive());
on("#out", async () => (await call("auth.logout", {})) === "" && show("in"));
show("in");
// Whoever is sent here to sign in is asked. Who comes back from elsewhere has done so, unless there is something to read.
if (!goes || (parameters.has("elsewhere") && error === "")) void tryToArrive();

fetch("/trpc/oauth.providers")
  .then((answer) => answer.json())
  .then(({ result }) => {
    // Back to this page, which says in words what comes of it.
    const back = location.pathname + (goes ? "?" + new URLSearchParams({ return_to: asked, elsewhere: "" }) : "");
    for (const { id, label } of result.data.items) {
      const link = document.createElement("a");
      link.textContent = "Sign in with " + label;
      link.href = "/oauth/start?" + new URLSearchParams({ provider: id, return_to: back });
      const line = document.createElement("p");
      line.append(link);
      part("#in form").append(line);
    }
  })
  .catch(() => {});
