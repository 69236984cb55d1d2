// Finds out which page is asked for, and shows it. Pages change without loading anew, for a token is kept in memory alone.

import { Problem, Server } from "./asking.js";
import { make } from "./making.js";
import { functionPage, problem } from "./page.js";

const home = new URL("../", import.meta.url);
const server = new Server(new URL("../", home));
const main = document.getElementById("main");
let showing = null;

addEventListener("popstate", () => show(true));
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-inside]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show(true);
});
show(false);

/** Show the page of the address; `hasMoved` when it is another than before, which is then told. */
async function show(hasMoved) {
  showing?.abort();
  showing = new AbortController();
  const { signal } = showing;
  const name = decodeURIComponent(location.pathname.slice(home.pathname.length));
  document.title = name ? `${name} · functory` : "functory";
  let page;
  try {
    page = name ? await functionPage(server, name, signal) : await indexPage(signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    page = error instanceof Problem && error.status === 401 ? tokenPage(error) : lostPage(error);
  }
  if (signal.aborted) return;
  main.replaceChildren(page);
  if (hasMoved) main.querySelector("h1")?.focus();
}

async function indexPage(signal) {
  const { functions } = await server.get("v1/functions", signal);
  const links = functions.map((one) => make("li", {},
    make("a", { href: encodeURIComponent(one.name), "data-inside": true, class: "said" }, one.name),
    make("p", { class: "said" }, one.summary),
    make("p", { class: "quiet" }, [one.task, one.form, `version ${one.version}`].join(" · "))));
  return make("div", {}, make("header", { class: "head" }, make("h1", { tabindex: -1 }, "Functions"), make("p", { class: "lead" }, "What this server answers. Take one and try it.")),
    make("ul", { class: "functions" }, links));
}

/** Ask for a token: this page keeps it as long as it is open, and writes it nowhere. */
function tokenPage(error) {
  const word = make("input", { id: "word", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const wrong = server.token ? make("p", { class: "problem", role: "alert" }, error.what) : null;
  const form = make("form", { class: "part narrow", onsubmit: (event) => {
    event.preventDefault();
    server.token = word.value.trim();
    document.getElementById("token").replaceChildren(forget());
    show(true);
  } },
  make("div", { class: "field" }, make("label", { for: "word" }, "Token"), make("p", { class: "about", id: "word-about" }, "This page keeps it as long as it is open, and nowhere else."), word),
  make("button", { type: "submit", class: "go" }, "Enter"));
  word.setAttribute("aria-describedby", "word-about");
  return make("div", {}, make("header", { class: "head" }, make("h1", { tabindex: -1 }, "A token is needed"), make("p", { class: "lead" }, "This server lets in who has one.")), wrong, form);
}

function forget() {
  return make("button", { type: "button", class: "light", onclick: () => {
    server.token = "";
    document.getElementById("token").replaceChildren();
    show(true);
  } }, "Forget the token");
}

function lostPage(error) {
  return make("div", {}, make("header", { class: "head" }, make("h1", { tabindex: -1 }, "This does not work")), problem(error), make("p", {}, make("a", { href: "./", "data-inside": true }, "All functions")));
}
