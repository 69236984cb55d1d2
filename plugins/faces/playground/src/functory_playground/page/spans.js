// Draws places of a text, and what goes from one to another. The text stays a text that the browser breaks into lines and people
// select; the image lies behind it and is drawn from where the words came to stand, again whenever the page's width changes.

import { figure, indexOf } from "./counting.js";
import { arcs, brackets, room } from "./layout.js";
import { drawn, make } from "./making.js";

const HUES = 8;
const LONGEST = 28;

/** Return a drawing of a text.
 *
 * @param nodes places {start, end, label, score}, in characters.
 * @param edges {head, tail, label, score}, numbers of nodes.
 */
export function drawing(text, nodes, edges) {
  const image = drawn("svg", { class: "over", "aria-hidden": "true" });
  const words = make("p", { class: "drawn said", dir: "auto" }, make("span", {}, text));
  const canvas = make("div", { class: "canvas" }, image, words);
  const redraw = () => canvas.isConnected && paint(image, words, text, nodes, edges);
  new ResizeObserver(redraw).observe(canvas);
  return make("figure", { class: "drawing" }, canvas, listed(nodes, edges));
}

/** Tell in words what is drawn. */
function listed(nodes, edges) {
  const labelled = nodes.filter((one) => one.label);
  if (!labelled.length) return null;
  const places = labelled.map((one) => make("li", {}, make("span", { class: "said" }, one.text ?? ""), " ",
    make("span", { class: `tag said hue-${hueOf(one.label, nodes)}` }, one.label), score(one)));
  const ties = edges.map((one) => make("li", {}, make("span", { class: "said" }, nodes[one.head].text), " ", make("strong", { class: "said" }, `${one.label} →`), " ", make("span", { class: "said" }, nodes[one.tail].text), score(one)));
  return make("figcaption", {}, ties.length ? make("ul", { class: "ties", "aria-label": "relations" }, ties) : null, make("ul", { class: "places", "aria-label": "places" }, places));
}

function score(one) {
  return typeof one.score === "number" ? make("span", { class: "number" }, ` ${figure(one.score)}`) : null;
}

/** Draw, and give the lines the height that the drawing needs. */
function paint(image, words, text, nodes, edges) {
  const size = parseFloat(getComputedStyle(words).fontSize);
  let pieces = piecesOf(words, text, nodes);
  const { above, below } = room(pieces, edges);
  const leading = `${Math.round(size * 1.5 + above + below)}px`;
  if (words.style.lineHeight !== leading) {
    words.style.lineHeight = leading;
    words.firstChild.style.top = `${(above - below) / 2}px`;
    pieces = piecesOf(words, text, nodes);
  }
  const { width, height } = image.getBoundingClientRect();
  image.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const marks = brackets(pieces).map((one) => bracket(one, hueOf(nodes[one.node].label, nodes)));
  image.replaceChildren(...marks.flat(), ...arcs(pieces, edges.map((one) => ({ ...one, label: cut(one.label) })), width).flatMap((one) => arc(one)));
}

/** Return where the words of each place stand: a box for each line that they run over. */
function piecesOf(words, text, nodes) {
  const content = words.firstChild.firstChild;
  const origin = words.getBoundingClientRect();
  const range = document.createRange();
  return nodes.flatMap((node, number) => {
    const [from, to] = [indexOf(text, node.start), indexOf(text, node.end)];
    if (!content || from === null || to === null) return [];
    range.setStart(content, from);
    range.setEnd(content, to);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
    return joined(boxes).map((box, place) => ({
      node: number, isFirst: place === 0, label: place ? "" : cut(node.label),
      left: box.left - origin.left, right: box.right - origin.left, top: box.top - origin.top, bottom: box.bottom - origin.top,
    }));
  });
}

/** Join boxes of one line, as a change of script makes several. */
function joined(boxes) {
  const lines = [];
  for (const { left, right, top, bottom } of boxes) {
    const line = lines.find((one) => Math.abs(one.bottom - bottom) < (bottom - top) / 2);
    if (line) Object.assign(line, { left: Math.min(line.left, left), right: Math.max(line.right, right), top: Math.min(line.top, top), bottom: Math.max(line.bottom, bottom) });
    else lines.push({ left, right, top, bottom });
  }
  return lines;
}

function bracket({ left, right, top, bottom, y, label }, hue) {
  const middle = (left + right) / 2;
  return [
    drawn("rect", { x: left - 1, y: top, width: right - left + 2, height: bottom - top, rx: 4, class: `wash hue-${hue}` }),
    drawn("path", { d: `M${left} ${y - 3}V${y}H${right}V${y - 3}`, class: `bracket hue-${hue}` }),
    label ? drawn("text", { x: middle, y: y + 12, "text-anchor": "middle", class: `label hue-${hue}` }, label) : null,
  ].filter(Boolean);
}

function arc({ from, to, low, end, y, at, label, hasHead }) {
  const turn = Math.min(6, Math.abs(to - from) / 2) * Math.sign(to - from || 1);
  const down = hasHead ? `H${to - turn}Q${to} ${y} ${to} ${y + 6}V${end}` : `H${to}`;
  const up = low === null ? `M${from} ${y}` : `M${from} ${low}V${y + 6}Q${from} ${y} ${from + turn} ${y}`;
  return [
    drawn("path", { d: up + down, class: "arc" }),
    hasHead ? drawn("path", { d: `M${to - 3.5} ${end - 6}L${to} ${end}L${to + 3.5} ${end - 6}`, class: "arc" }) : null,
    label ? drawn("text", { x: at, y: y - 3, "text-anchor": "middle", class: "label" }, label) : null,
  ].filter(Boolean);
}

function hueOf(label, nodes) {
  return [...new Set(nodes.map((one) => one.label))].indexOf(label) % HUES;
}

function cut(label) {
  const letters = [...(label ?? "")];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : letters.join("");
}
