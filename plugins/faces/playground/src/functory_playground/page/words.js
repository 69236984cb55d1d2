// Words: with a tag each, or with what each did to an answer.

import { figure, indexOf, stretch } from "./counting.js";
import { make, unseen } from "./making.js";

/** Words whose weights are told one by one. */
const WEIGHTIEST = 8;

/** Return words with their tags below them. */
export function tagged(tokens) {
  const words = tokens.map((one) => make("li", { title: figure(one.score) }, make("span", { class: "said" }, one.text), make("small", {}, unseen(" "), one.tag === "word" ? "" : one.tag)));
  return make("ul", { class: "tagged", "aria-label": "words" }, words);
}

/** Return an explanation: the texts with their words coloured, the weightiest words, and how far to trust them. */
export function explained(attribution, input) {
  const { pieces, target, faithfulness, unit } = attribution;
  const most = Math.max(...pieces.map((one) => Math.abs(one.weight))) || 1;
  const fields = [...new Set(pieces.map((one) => one.field))];
  const texts = fields.map((field) => make("p", { class: "words said", dir: "auto" },
    fields.length > 1 ? make("small", {}, `${field} `) : null, coloured(textAt(input, field), pieces.filter((one) => one.field === field), most)));
  const best = [...pieces].sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight)).slice(0, WEIGHTIEST);
  return make("div", { class: "explained" },
    make("p", {}, "Why ", make("strong", { class: "said" }, target.name), `, ${unit === "value" ? "value" : "probability"} ${figure(attribution.score)}`),
    texts,
    make("p", { class: "legend" }, make("mark", { class: "for" }, "speaks for it"), " · ", make("mark", { class: "against" }, "against it")),
    make("ol", { class: "weights", "aria-label": `the weightiest words, in ${unit}` }, best.map((one) => weight(one, most))),
    make("p", { class: "quiet" }, `${attribution.method}, in ${unit}. Without the weightiest words the target loses ${figure(faithfulness.comprehensiveness)}; with them alone ${figure(faithfulness.sufficiency)}.`),
    attribution.notes.map((note) => make("p", { class: "quiet said" }, note)));
}

/** Return a text as parts, those that were weighed coloured. */
function coloured(text, pieces, most) {
  const inOrder = [...pieces].sort((one, other) => one.start - other.start);
  const marks = inOrder.map((one) => {
    const mark = make("mark", { class: one.weight < 0 ? "against" : "for", title: signed(one.weight) }, one.text);
    mark.style.setProperty("--share", String(Math.abs(one.weight) / most));
    return mark;
  });
  // A function may read another text than it was given, such as one without its marks: then the words alone are told.
  if (inOrder.some((one) => stretch(text, one.start, one.end) !== one.text)) return marks.flatMap((mark) => [mark, " "]);
  const ends = [0, ...inOrder.map((one) => one.end)];
  return [...marks.flatMap((mark, place) => [stretch(text, ends[place], inOrder[place].start), mark]), text.slice(indexOf(text, ends.at(-1)))];
}

function weight(piece, most) {
  const bar = make("span", { class: "bar both", "aria-hidden": "true" }, make("span", { class: piece.weight < 0 ? "against" : "for" }));
  const half = (50 * Math.abs(piece.weight)) / most;
  bar.firstChild.style.inlineSize = `${half}%`;
  bar.firstChild.style.insetInlineStart = `${piece.weight < 0 ? 50 - half : 50}%`;
  return make("li", {}, make("span", { class: "name said" }, piece.text), bar, make("span", { class: "number" }, signed(piece.weight)));
}

function signed(value) {
  return (value > 0 ? "+" : "") + figure(value);
}

/** Return the text at a path of an input, such as `candidates.2`. */
function textAt(input, path) {
  const found = path.split(".").reduce((part, step) => part?.[step], input);
  return typeof found === "string" ? found : "";
}
