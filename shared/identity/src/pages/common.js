// What the scripts of all pages begin with. A page's parts are hidden until one is shown: a form that no script has in
// hand sends nothing.
const part = (selector) => document.querySelector(selector);
const behindHash = (name) => new URLSearchParams(location.hash.slice(1)).get(name) ?? "";
const said = part("[role=alert]");
const token = behindHash("token");
// Another link of a mail that is followed in this tab is another page only to whoever reads it.
addEventListener("hashchange", () => location.reload());

/** Shows one part of the page, and no other. */
const show = (id) => {
  for (const other of document.querySelectorAll("main > [id]")) other.hidden = other.id !== id;
};

let csrf;
const post = async (procedure, body) => {
  const headers = { "content-type": "application/json", ...(csrf === undefined ? {} : { "x-csrf-token": csrf }) };
  const answer = await fetch("/trpc/" + procedure, { method: "POST", headers, body });
  const known = csrf;
  csrf = answer.headers.get("x-csrf-token") ?? csrf;
  // Somebody is signed in, here or since in another tab: the cookie counts with its token only.
  return answer.status === 403 && csrf !== known ? post(procedure, body) : answer;
};

/** Calls a procedure: "" if it was done, else what its failure is called. What is wrong is said, as a text. */
const call = async (procedure, input) => {
  said.textContent = "";
  try {
    const answer = await post(procedure, JSON.stringify(input));
    if (answer.ok) return "";
    const { error } = await answer.json();
    said.textContent = error.message;
    return error.data.failure?.type ?? "refused";
  } catch {
    said.textContent = "The service does not answer.";
    return "refused";
  }
};

/** What a form does, in place of being sent. */
const on = (id, work) =>
  part(id).addEventListener("submit", (event) => {
    event.preventDefault();
    void work(Object.fromEntries(new FormData(event.target)));
  });
