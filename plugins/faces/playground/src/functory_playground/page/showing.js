// Shows an output: each view takes the fields that it understands by their form, whatever task they are of; what no view takes
// stands in a table. So the output of a stranger's task is shown too.

import { bars, gauge, ranked } from "./bars.js";
import { figure } from "./counting.js";
import { make, unseen } from "./making.js";
import { strip } from "./numbers.js";
import { listOf, textOf } from "./places.js";
import { drawing } from "./spans.js";
import { tagged } from "./words.js";

/** Return what there is to see of an output, for the input that it belongs to. */
export function shown(output, input) {
  const left = new Set(Object.keys(output).filter((name) => !["abstained", "notes"].includes(name)));
  const parts = [output.abstained ? make("p", { class: "declined" }, "The function declines to answer this.") : null];
  for (const view of VIEWS) {
    const found = view({ output, input, left });
    if (found) {
      found.takes.forEach((name) => left.delete(name));
      parts.push(found.element);
    }
  }
  const rest = [...left].filter((name) => !isNothing(output[name]));
  parts.push(rest.length ? table(Object.fromEntries(rest.map((name) => [name, output[name]]))) : null);
  parts.push(output.notes?.length ? make("ul", { class: "notes" }, output.notes.map((note) => make("li", { class: "said" }, note))) : null);
  return make("div", { class: "shown" }, parts);
}

/** Return the answer in a few words, for who does not see the page. */
export function inWords(output) {
  const found = headline(output);
  return found ? found.text : Object.keys(output).filter((name) => !["abstained", "notes"].includes(name)).slice(0, 4).join(", ");
}

const VIEWS = [graded, answered, decided, scored, prose, triple, graphed, found, cited, evident, wordly, inOrder, levelled, vectors];

/** The answer in large letters, where one field is it. */
function answered({ output, left }) {
  const found = headline(output);
  if (!found || !left.has(found.name)) return null;
  const takes = [found.name, ...(isNumber(output.score) && found.name !== "score" ? ["score"] : [])];
  if (found.name === "label" && output.labels?.length) takes.push("labels");
  if (found.name === "choice") takes.push("index");
  const isBeside = isScores(output.scores) && found.text in output.scores;
  const sure = takes.includes("score") && isShare(output.score) && !isBeside ? gauge(output.score) : null;
  return { takes, element: make("div", { class: "headline" }, make("p", { class: "answer said", dir: "auto" }, found.text), sure) };
}

function headline(output) {
  const labels = Array.isArray(output.labels) && output.labels.length > 1 ? output.labels.join(", ") : output.label;
  const ways = { label: labels ?? "no label", choice: output.choice ?? "no choice", answer: output.answer ?? "no answer" };
  const name = Object.keys(ways).find((one) => one in output && (output[one] === null || ["string", "number"].includes(typeof output[one])));
  return name ? { name, text: String(ways[name]) } : null;
}

/** One number that is all there is. */
function graded({ output, left }) {
  const own = [...left].filter((name) => !isNothing(output[name]));
  if (own.length !== 1 || !isNumber(output[own[0]])) return null;
  return { takes: own, element: make("div", { class: "headline" }, make("p", { class: "answer" }, figure(output[own[0]])), make("p", { class: "quiet" }, own[0])) };
}

/** A number for each name. */
function scored({ output, left }) {
  const takes = [...left].filter((name) => isScores(output[name]));
  const given = new Set([output.label, output.choice, ...(output.labels ?? [])]);
  return takes.length ? { takes, element: make("div", {}, takes.map((name) => bars(name, output[name], given))) } : null;
}

/** A number for each name, question by question: the answers stand in fields of their own. */
function decided({ output, left }) {
  const { scores } = output;
  if (!left.has("scores") || !isPlain(scores) || !Object.keys(scores).length || !Object.values(scores).every(isScores)) return null;
  const questions = Object.keys(scores).map((name) => make("section", { class: "question" },
    make("h3", {}, name), make("p", { class: "answer small said" }, told(output[name])), bars(name, scores[name], new Set([named(output[name])]))));
  return { takes: ["scores", ...Object.keys(scores)], element: make("div", { class: "questions" }, questions) };
}

/** A number for each name, level by level. */
function levelled({ output, left }) {
  const takes = [...left].filter((name) => Array.isArray(output[name]) && output[name].length && output[name].every(isScores));
  return takes.length ? { takes, element: make("div", {}, takes.map((name) => output[name].map((level, place) => bars(`${name} ${place + 1}`, level, new Set())))) } : null;
}

/** What was written, and the other texts where there are some. */
function prose({ output, left }) {
  if (!("finish" in output) || typeof output.text !== "string" || !left.has("text")) return null;
  const isCode = typeof output.code === "string";
  const texts = isCode ? [output.code, ...(output.other_codes ?? [])] : [output.text, ...(output.others ?? [])];
  const takes = ["text", "others", ...(isCode ? ["code", "other_codes"] : [])];
  return { takes, element: make("div", {}, texts.map((text) => written(text, isCode))) };
}

/** Return a text that was written. */
export function written(text, isCode = false) {
  return isCode ? make("pre", { class: "written", tabindex: 0 }, text) : make("p", { class: "written said", dir: "auto" }, text);
}

/** Who, what, whom. */
function triple({ output, left }) {
  const takes = ["subject", "relation", "object"];
  if (!takes.every((name) => left.has(name)) || typeof output.subject !== "string") return null;
  const [subject, relation, object] = takes.map((name) => output[name]);
  return { takes, element: make("p", { class: "triple" }, make("span", { class: "box said" }, subject), make("span", { class: "arrow said" }, relation ?? "no relation"), make("span", { class: "box said" }, object)) };
}

/** Places of a text, and what goes from one to another. */
function graphed({ output, input, left }) {
  const { nodes, edges } = output;
  if (!left.has("nodes") || !Array.isArray(edges) || !Array.isArray(nodes)) return null;
  const text = textOf(nodes, input, output);
  const whole = text !== null && edges.every((edge) => edge.head in nodes && edge.tail in nodes);
  const takes = ["nodes", "edges", ...(output.text === text ? ["text"] : [])];
  return whole ? { takes, element: drawing(text, nodes, edges) } : null;
}

/** Places of a text. */
function found({ output, input, left }) {
  const lists = [...left].filter((name) => isPlaces(output[name]) && !output[name].some((one) => "tag" in one));
  const parts = lists.map((name) => [name, textOf(output[name], input, output)]).filter(([, text]) => text !== null);
  const alone = isNumber(output.start) && isNumber(output.end) ? [{ start: output.start, end: output.end, text: output.answer, label: "answer" }] : [];
  const text = alone.length ? textOf(alone, input, output) : null;
  const others = lists.includes("answers") && text !== null ? alternatives(output) : null;
  const takes = [...parts.map(([name]) => name), ...(text === null ? [] : ["start", "end"])];
  if (!takes.length) return isEmptied(output, left);
  const drawn = parts.filter(([name]) => !(others && name === "answers")).map(([name, one]) => drawing(one, output[name].map((place) => ({ ...place, label: place.label ?? "" })), []));
  return { takes, element: make("div", {}, text === null ? null : drawing(text, alone, []), others, drawn) };
}

/** Say that a list of places has none. */
function isEmptied(output, left) {
  const takes = [...left].filter((name) => Array.isArray(output[name]) && !output[name].length && ["entities", "phrases", "nodes", "items"].includes(name));
  return takes.length ? { takes, element: make("p", { class: "quiet" }, `no ${takes.join(", no ")}`) } : null;
}

function alternatives(output) {
  return output.answers.length > 1 ? ranked("other answers", output.answers.filter((one) => one.start !== output.start || one.end !== output.end)) : null;
}

/** Texts of a list that an answer is taken from. */
function cited({ output, input, left }) {
  if (!left.has("citations") || !output.citations?.length || !output.citations.every((one) => isNumber(one.passage))) return null;
  const texts = listOf("passages", input);
  if (!texts || !output.citations.every((one) => typeof texts[one.passage] === "string")) return null;
  const quotes = output.citations.map((one) => make("li", { value: one.passage }, drawing(texts[one.passage], isNumber(one.start) ? [{ ...one, label: "" }] : [], [])));
  return { takes: ["citations"], element: make("ol", { class: "cited" }, quotes) };
}

/** Where values stand in a text, by their names. */
function evident({ output, input, left }) {
  const places = Object.entries(output.evidence ?? {});
  if (!left.has("evidence") || !isPlain(output.evidence)) return null;
  const nodes = places.map(([name, one]) => ({ ...one, label: name }));
  const text = nodes.length ? textOf(nodes, input, output) : null;
  return { takes: ["evidence"], element: text === null ? make("span", {}) : drawing(text, nodes, []) };
}

/** Words with a tag each. */
function wordly({ output, left }) {
  const takes = [...left].filter((name) => isPlaces(output[name]) && output[name].every((one) => typeof one.tag === "string"));
  const text = typeof output.text === "string" && output.text && takes.length ? written(output.text) : null;
  return takes.length ? { takes: [...takes, ...(text ? ["text"] : [])], element: make("div", {}, text, takes.map((name) => tagged(output[name]))) } : null;
}

/** Texts in an order, with a number each. */
function inOrder({ output, left }) {
  const takes = [...left].filter((name) => Array.isArray(output[name]) && output[name].length && output[name].every((one) => typeof one?.text === "string" && isNumber(one.score)));
  return takes.length ? { takes, element: make("div", {}, takes.map((name) => ranked(name, output[name]))) } : null;
}

/** Many numbers. */
function vectors({ output, left }) {
  const takes = [...left].filter((name) => Array.isArray(output[name]) && output[name].length > 3 && output[name].every(isNumber));
  return takes.length ? { takes, element: make("div", {}, takes.map((name) => strip(name, output[name]))) } : null;
}

/** Return names and values as a table. */
export function table(values) {
  const lines = Object.entries(values).map(([name, value]) => [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, cell(value))]);
  return make("dl", { class: "facts" }, lines);
}

function cell(value) {
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return make("span", { class: "said" }, value.map(told).join(", "));
  if (typeof value === "object" && value !== null) return make("pre", { tabindex: 0, class: "said" }, JSON.stringify(value, null, 1));
  return make("span", { class: "said", dir: "auto" }, told(value), value === null ? unseen(" (null)") : null);
}

function told(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return isNumber(value) ? figure(value) : String(value);
}

function named(value) {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

function isPlaces(value) {
  return Array.isArray(value) && value.length > 0 && value.every((one) => isNumber(one?.start) && isNumber(one?.end));
}

function isScores(value) {
  return isPlain(value) && Object.keys(value).length > 0 && Object.values(value).every(isNumber);
}

function isPlain(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value) {
  return typeof value === "number";
}

function isShare(value) {
  return isNumber(value) && value >= 0 && value <= 1;
}

function isNothing(value) {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length) || (isPlain(value) && !Object.keys(value).length);
}
