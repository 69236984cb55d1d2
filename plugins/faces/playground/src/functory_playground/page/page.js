// A function's page: what goes in, what comes out, why, and how to have it elsewhere.

import { Problem } from "./asking.js";
import { duration, figure } from "./counting.js";
import { Form } from "./form.js";
import { fresh, make, part, unseen } from "./making.js";
import { inWords, shown, table, written } from "./showing.js";
import { curl, python } from "./snippets.js";
import { explained } from "./words.js";

/** Return a function's page. */
export async function functionPage(server, name, signal) {
  const card = await server.get(`v1/functions/${encodeURIComponent(name)}`, signal);
  return new Play(server, card).element;
}

/** One function on its page. */
class Play {
  #running = null;
  #asked = null;

  constructor(server, card) {
    this.server = server;
    this.card = card;
    this.path = card.url.replace(/^\//, "");
    this.form = new Form(card.signature, () => this.#changed());
    this.status = make("p", { role: "status", class: "status" });
    this.out = make("div", { class: "out" }, make("p", { class: "quiet" }, "Nothing was asked yet. Write something, or take an example."));
    this.why = make("div", { class: "why" });
    this.snippets = new Snippets();
    this.streamed = card.writes ? make("input", { type: "checkbox", id: fresh("streamed"), onchange: () => this.#changed() }) : null;
    if (this.streamed) this.streamed.checked = true;
    this.run = make("button", { type: "submit", class: "go" }, "Run");
    this.stop = make("button", { type: "button", class: "light", hidden: true, onclick: () => this.#running?.abort() }, "Stop");
    this.element = this.#laidOut();
    const [first] = card.golden ?? [];
    if (first) this.form.fill(first.input);
    this.#changed();
  }

  #laidOut() {
    const { card } = this;
    const streamed = this.streamed && make("label", { class: "flag", for: this.streamed.id }, this.streamed, "as it is written");
    const form = make("form", { onsubmit: (event) => this.#submitted(event), onkeydown: (event) => this.#pressed(event) },
      this.form.element, make("div", { class: "actions" }, this.run, this.stop, streamed, make("kbd", {}, "Ctrl + Enter")));
    return make("div", { class: "play" },
      make("header", { class: "head" },
        make("h1", { tabindex: -1, class: "said" }, card.name),
        make("p", { class: "lead said" }, card.summary),
        make("p", { class: "quiet" }, [card.task, card.form, `version ${card.version}`].filter(Boolean).join(" · "))),
      columns(
        part("Input", form, this.#examples()),
        part("From elsewhere", this.snippets.element),
        part("Output", this.status, this.out, this.why),
        part("About", this.#about())));
  }

  #examples() {
    const golden = this.card.golden ?? [];
    if (!golden.length) return null;
    const buttons = golden.map((one) => make("li", {}, make("button", { type: "button", class: "example said", onclick: () => this.#took(one.input) }, brief(one.input))));
    return make("div", { class: "examples" }, make("h3", {}, "Examples"), make("ul", {}, buttons));
  }

  #about() {
    const { card } = this;
    const head = make("tr", {}, ["", "", "interval", "baseline"].map((one, place) => make(place ? "th" : "td", place ? { scope: "col" } : {}, place === 1 ? "value" : one)));
    const rows = Object.entries(card.metrics ?? {}).map(([name, one]) => make("tr", {}, make("th", { scope: "row" }, name.replaceAll("_", " ")),
      make("td", {}, maybe(one.value)), make("td", {}, one.low == null ? "" : `${figure(one.low)}–${figure(one.high)}`), make("td", {}, maybe(one.baseline))));
    return [
      rows.length ? make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "metrics" }, make("table", {}, make("caption", { class: "unseen" }, "How good it was when it was built"), make("thead", {}, head), make("tbody", {}, rows))) : make("p", { class: "quiet" }, "It was measured on no data."),
      card.notes?.length ? make("ul", { class: "notes" }, card.notes.map((note) => make("li", { class: "said" }, note))) : null,
      card.licence ? make("p", { class: "quiet said" }, `Licence: ${card.licence}`) : null,
    ];
  }

  #changed() {
    try {
      const path = this.#isStreamed() ? `${this.path}/stream` : this.path;
      this.snippets.show(this.server.url(path), this.form.read(), Boolean(this.server.token), this.#isStreamed());
    } catch {
      // what is half written has no snippet: the former one stays until it is whole
    }
  }

  #took(input) {
    this.form.fill(input);
    this.#changed();
    this.#ask();
  }

  #submitted(event) {
    event.preventDefault();
    this.#ask();
  }

  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#submitted(event);
  }

  #isStreamed() {
    return Boolean(this.streamed?.checked);
  }

  async #ask() {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    this.#busy(true);
    this.why.replaceChildren();
    try {
      const input = (this.#asked = this.form.read());
      await (this.#isStreamed() ? this.#write(input, running.signal) : this.#call(input, running.signal));
    } catch (error) {
      if (running === this.#running) this.#failed(error, this.out);
    } finally {
      if (running === this.#running) this.#busy(false);
    }
  }

  async #call(input, signal) {
    const { value, json, milliseconds } = await this.server.post(this.path, input, signal);
    if (signal.aborted) return;
    const inJson = make("details", {}, make("summary", {}, "As JSON"), framed("JSON", make("pre", { tabindex: 0, "aria-label": "the output as JSON" }, json)));
    this.out.replaceChildren(shown(value, input), inJson);
    this.status.replaceChildren(unseen(`${inWords(value)}; `), `answered in ${duration(milliseconds)}`);
    if (!this.card.writes) this.#offerWhy(value);
  }

  async #write(input, signal) {
    const text = written("");
    this.out.replaceChildren(text);
    this.status.textContent = "writing …";
    const { finish, first, milliseconds } = await this.server.stream(`${this.path}/stream`, input, (piece) => text.append(piece), signal);
    this.out.append(table({ finish }));
    this.status.textContent = `written in ${duration(milliseconds)}, the first piece after ${duration(first)}`;
  }

  #offerWhy(value) {
    const labels = value.scores && Object.values(value.scores).every((one) => typeof one === "number") ? Object.keys(value.scores) : [];
    const target = make("select", { id: fresh("target") }, make("option", { value: "" }, "the answer"), labels.map((one) => make("option", { value: one }, one)));
    const place = make("div", { "aria-live": "polite" });
    const ask = make("button", { type: "button", class: "light", onclick: () => this.#explain(target.value, place, ask) }, "Which words made it so?");
    const chosen = labels.length > 1 ? [make("label", { for: target.id, class: "unseen" }, "What is explained"), target] : null;
    this.why.replaceChildren(make("div", { class: "actions" }, ask, chosen), place);
  }

  async #explain(target, place, ask) {
    ask.disabled = true;
    place.replaceChildren(make("p", { class: "quiet" }, "Each word is taken away in turn …"));
    const input = this.#asked;
    try {
      const query = target ? `?${new URLSearchParams({ target })}` : "";
      const { value } = await this.server.post(`${this.path}/explain${query}`, input);
      place.replaceChildren(explained(value, input));
    } catch (error) {
      this.#failed(error, place);
    } finally {
      ask.disabled = false;
    }
  }

  #busy(is) {
    this.out.setAttribute("aria-busy", String(is));
    this.stop.hidden = !is;
    if (is) this.status.textContent = "asking …";
  }

  #failed(error, place) {
    if (error.name === "AbortError") {
      this.status.textContent = "stopped";
      return;
    }
    this.status.textContent = "";
    place.replaceChildren(problem(error));
  }
}

/** Return what is wrong, for people. */
export function problem(error) {
  const told = error instanceof Problem ? error : { what: error.message };
  return make("div", { class: "problem", role: "alert" },
    make("p", { class: "said" }, make("strong", {}, told.what)),
    told.where ? make("p", { class: "said" }, `Where: ${told.where}`) : null,
    told.do ? make("p", { class: "said" }, `What to do: ${told.do}`) : null,
    told.request ? make("p", { class: "quiet said" }, `Request ${told.request}`) : null);
}

/** Return the parts side by side where there is room, what is asked beside what is answered; else the answer comes second. */
function columns(input, elsewhere, output, about) {
  const [left, right] = [make("div", { class: "column" }, input), make("div", { class: "column" }, output, about)];
  const wide = matchMedia("(min-width: 56rem)");
  const place = () => (wide.matches ? left.append(elsewhere) : output.after(elsewhere));
  wide.addEventListener("change", place);
  place();
  return make("div", { class: "two" }, left, right);
}

/** How to have the same answer elsewhere. */
class Snippets {
  constructor() {
    this.shell = make("pre", { tabindex: 0, "aria-label": "for a shell" });
    this.program = make("pre", { tabindex: 0, "aria-label": "in Python" });
    this.element = make("div", { class: "snippets" }, framed("Shell", this.shell), framed("Python", this.program));
  }

  show(url, body, hasToken, isStream) {
    this.shell.textContent = curl(url, body, hasToken, isStream);
    this.program.textContent = python(url, body, hasToken, isStream);
  }
}

/** Return a text with its title, and a button that copies it. */
function framed(title, pre) {
  const button = make("button", { type: "button", class: "light copy", "aria-label": `Copy ${title}`, onclick: async () => {
    button.textContent = (await copy(pre)) ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  } }, "Copy");
  return make("div", { class: "framed" }, make("div", { class: "title" }, make("h3", {}, title), button), pre);
}

/** Copy a text; where the browser lets no page do so, select it. */
async function copy(pre) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(pre);
    return false;
  }
}

function brief(input) {
  const texts = Object.values(input).flat().map((one) => (typeof one === "string" ? one : JSON.stringify(one))).filter(Boolean);
  const line = [...texts.join(" · ").replaceAll(/\s+/g, " ")];
  return line.length > 90 ? `${line.slice(0, 89).join("")}…` : line.join("") || "(nothing)";
}

function maybe(value) {
  return typeof value === "number" ? figure(value) : "";
}
