// The page can be read without this: it adds a search, buttons that copy, and the choice of light or dark.

const root = document.documentElement;
/** What is said of a procedure. The calls hold words of every style, such as a header's, and are no answer. */
const told = (article) => {
  const copy = article.cloneNode(true);
  for (const call of copy.querySelectorAll("details")) call.remove();
  return copy.textContent.toLowerCase();
};
const articles = [...document.querySelectorAll("article")].map((article) => ({
  article,
  link: document.querySelector(`[data-for="${CSS.escape(article.id)}"]`),
  text: told(article),
}));

const search = document.getElementById("search");
const found = document.getElementById("found");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { article, link, text } of articles) {
    const fits = words.every((word) => text.includes(word));
    article.hidden = !fits;
    if (link) link.hidden = !fits;
    count += Number(fits);
  }
  for (const section of document.querySelectorAll("section.domain")) {
    section.hidden = !section.querySelector("article:not([hidden])");
  }
  found.value = words.length > 0 ? `${count} found` : "";
});
// Who comes by a link sees where it leads, whatever is searched for.
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.closest("[hidden]")) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
    target.scrollIntoView();
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target === document.body) {
    event.preventDefault();
    search.focus();
  }
});

for (const block of document.querySelectorAll("pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      // A page that did not come over TLS has no clipboard.
      getSelection().selectAllChildren(block.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.append(button);
}

const KEY = "onefold-docs-theme";
const remembered = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};
if (remembered()) root.dataset.theme = remembered();
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem(KEY, root.dataset.theme);
  } catch {
    // It holds for this page then.
  }
});
document.querySelector(".tools").hidden = false;
