// Numbers as bars: of each label, of what was ranked, of one answer. A number stands beside each bar, which is for the eye alone.

import { figure } from "./counting.js";
import { make } from "./making.js";

/** Bars that are shown before one asks for more. */
const MOST = 8;

/** Return a number for each name as bars, the largest first; those that were given stand out. */
export function bars(title, scores, given) {
  const all = Object.entries(scores).sort(([, one], [, other]) => other - one);
  const scale = scaleOf(all.map(([, score]) => score));
  const rows = all.map(([name, score]) => row(name, score, scale, given.has(name)));
  return listed(title, rows);
}

/** Return texts with a number each, in their order. */
export function ranked(title, items) {
  const scale = scaleOf(items.map((one) => one.score));
  return listed(title, items.map((one) => row(one.text, one.score, scale, false)), true);
}

/** Return one share of 1 as a bar. */
export function gauge(score) {
  return make("p", { class: "gauge" }, bar(score, { least: 0, most: 1 }), make("span", { class: "number" }, figure(score)));
}

function listed(title, rows, isOrdered = false) {
  const list = make(isOrdered ? "ol" : "ul", { class: "bars", "aria-label": title }, rows);
  rows.slice(MOST).forEach((one) => (one.hidden = true));
  if (rows.length <= MOST) return list;
  const more = make("button", { type: "button", class: "light", onclick: () => {
    rows.forEach((one) => (one.hidden = false));
    more.remove();
  } }, `Show all ${rows.length}`);
  return make("div", {}, list, more);
}

function row(name, score, scale, isGiven) {
  return make("li", { class: isGiven ? "given" : null }, make("span", { class: "name said", dir: "auto" }, name), bar(score, scale), make("span", { class: "number" }, figure(score)));
}

/** Return the ends of the bars: 0 and 1 for shares, else what there is, with 0 always among it. */
function scaleOf(numbers) {
  const [least, most] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
  return least === 0 && most <= 1 ? { least: 0, most: 1 } : { least, most: most === least ? least + 1 : most };
}

function bar(score, { least, most }) {
  const width = most - least;
  const made = make("span", { class: "bar", "aria-hidden": "true" }, make("span", { class: score < 0 ? "against" : null }));
  made.firstChild.style.insetInlineStart = `${(100 * (Math.min(score, 0) - least)) / width}%`;
  made.firstChild.style.inlineSize = `${(100 * Math.abs(score)) / width}%`;
  return made;
}
