// The controls of a form, one for each kind of field: what is shown, what it says, and how it is filled.
//
// A control is {element, read(), fill(value)}; `read` gives undefined for what is left out.

import { characterAt, stretch } from "./counting.js";
import { fresh, make } from "./making.js";

/** Return the control for a field; `form` finds its neighbours by name. */
export function controlFor(field, form) {
  return CONTROLS[field.kind](field, form);
}

const CONTROLS = { text, number, flag, choice, list, place, json };

function text(field) {
  const id = fresh("field");
  const area = make("textarea", { id, rows: 1, spellcheck: "false", dir: "auto", ...described(field, id) });
  return {
    element: labelled(field, id, area),
    area,
    read: () => (area.value === "" && !field.isNeeded && !field.isAlwaysSaid ? undefined : area.value),
    fill: (value) => (area.value = value ?? ""),
  };
}

function number(field) {
  const id = fresh("field");
  const bounds = { min: field.least, max: field.most, step: field.isWhole ? 1 : "any" };
  const input = make("input", { id, type: "number", ...bounds, ...described(field, id) });
  return {
    element: labelled(field, id, input),
    read: () => (input.value === "" ? undefined : Number(input.value)),
    fill: (value) => (input.value = value ?? ""),
  };
}

function flag(field) {
  const id = fresh("field");
  const box = make("input", { id, type: "checkbox", ...described(field, id) });
  box.checked = field.fallback === true;
  const label = make("label", { for: id, class: "flag" }, box, field.name);
  return {
    element: make("div", { class: "field" }, label, about(field, id)),
    read: () => box.checked,
    fill: (value) => (box.checked = (value ?? field.fallback) === true),
  };
}

function choice(field) {
  const id = fresh("field");
  const open = field.isNeeded ? [] : [make("option", { value: "" }, "—")];
  const options = field.choices.map((one, place) => make("option", { value: place }, String(one)));
  const select = make("select", { id, ...described(field, id) }, open, options);
  const fill = (value) => (select.value = field.choices.includes(value) ? field.choices.indexOf(value) : field.isNeeded ? 0 : "");
  fill(field.fallback);
  return {
    element: labelled(field, id, select),
    read: () => (select.value === "" ? undefined : field.choices[Number(select.value)]),
    fill,
  };
}

/** Texts, as many as one likes. */
function list(field) {
  const id = fresh("field");
  const rows = make("ol", { class: "rows" });
  const add = make("button", { type: "button", class: "light", onclick: () => row("").querySelector("textarea").focus() }, `Add to ${field.name}`);
  const texts = () => [...rows.querySelectorAll("textarea")];
  const number = () => texts().forEach((area, place) => {
    area.setAttribute("aria-label", `${field.name} ${place + 1}`);
    area.nextSibling.setAttribute("aria-label", `Remove ${field.name} ${place + 1}`);
  });

  function row(value) {
    const area = make("textarea", { rows: 1, spellcheck: "false", dir: "auto", onpaste: (event) => pasted(event, area) });
    area.value = value;
    const remove = make("button", { type: "button", class: "light icon", onclick: () => removed(made) }, "×");
    const made = make("li", {}, area, remove);
    rows.append(made);
    number();
    return made;
  }

  /** Take lines that are pasted into an empty row as a row each. */
  function pasted(event, area) {
    const lines = event.clipboardData.getData("text").split(/\r?\n/).filter((line) => line.trim());
    if (area.value || lines.length < 2) return;
    event.preventDefault();
    area.value = lines[0];
    lines.slice(1).forEach(row);
    rows.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function removed(one) {
    const next = one.nextSibling ?? one.previousSibling;
    one.remove();
    number();
    (next?.querySelector("textarea") ?? add).focus();
    rows.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function fill(value) {
    rows.replaceChildren();
    for (const one of Array.isArray(value) ? value : value == null ? [] : [value]) row(String(one));
    if (!rows.children.length && field.isNeeded) ["", ""].forEach(row);
  }

  fill(null);
  return {
    element: make("fieldset", { class: "field", ...described(field, id) }, make("legend", {}, field.name), about(field, id), rows, add),
    read: () => {
      const found = texts().map((area) => area.value).filter((one) => one !== "");
      return found.length || field.isNeeded ? found : undefined;
    },
    fill,
  };
}

/** A stretch of the form's text, taken from what is selected there. */
function place(field, form) {
  const id = fresh("field");
  let taken = null;
  const shown = make("output", { class: "taken said" });
  const area = () => form.textArea();

  function fill(value) {
    taken = Array.isArray(value) ? { start: value[0], end: value[1] } : value ?? null;
    const words = taken && stretch(area()?.value ?? "", taken.start, taken.end);
    shown.textContent = taken ? `“${words ?? "…"}”, ${taken.start} to ${taken.end}` : "nothing yet";
  }

  function take() {
    const { value, selectionStart: start, selectionEnd: end } = area();
    if (start === end) shown.textContent = "select some words of the text first";
    else fill({ start: characterAt(value, start), end: characterAt(value, end) });
    shown.dispatchEvent(new Event("input", { bubbles: true }));
  }

  fill(null);
  const buttons = [
    make("button", { type: "button", class: "light", onclick: take }, "Take what is selected"),
    make("button", { type: "button", class: "light", onclick: () => { fill(null); shown.dispatchEvent(new Event("input", { bubbles: true })); } }, "Clear"),
  ];
  return {
    element: make("fieldset", { class: "field", ...described(field, id) }, make("legend", {}, field.name), about(field, id), shown, ...buttons),
    read: () => taken ?? undefined,
    fill,
  };
}

/** Whatever no other control is for, as JSON. */
function json(field) {
  const id = fresh("field");
  const area = make("textarea", { id, rows: 1, spellcheck: "false", class: "code", placeholder: "JSON", ...described(field, id) });
  return {
    element: labelled(field, id, area),
    read: () => {
      if (!area.value.trim()) return undefined;
      try {
        return JSON.parse(area.value);
      } catch {
        throw new SyntaxError(`${field.name} is no JSON.`);
      }
    },
    fill: (value) => (area.value = value == null || (Array.isArray(value) && !value.length) ? "" : JSON.stringify(value)),
  };
}

function labelled(field, id, control) {
  return make("div", { class: "field" }, make("label", { for: id }, field.name, field.isNeeded ? null : make("small", {}, " if you like")), about(field, id), control);
}

function described(field, id) {
  return { "aria-describedby": field.about ? `${id}-about` : null };
}

function about(field, id) {
  return field.about ? make("p", { class: "about", id: `${id}-about` }, field.about) : null;
}
