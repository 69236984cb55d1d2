// A vector as a strip of colours: what is alike looks alike.

import { figure } from "./counting.js";
import { drawn, make } from "./making.js";

/** Return a vector's name, its length and its first numbers, and the strip. */
export function strip(name, numbers) {
  const most = Math.max(...numbers.map(Math.abs)) || 1;
  const cells = numbers.map((one, place) => drawn("rect", { x: place, y: 0, width: 1.05, height: 1, class: one < 0 ? "against" : "for", "fill-opacity": (Math.abs(one) / most).toFixed(3) }));
  const image = drawn("svg", { viewBox: `0 0 ${numbers.length} 1`, preserveAspectRatio: "none", class: "strip", "aria-hidden": "true" }, cells);
  const first = numbers.slice(0, 4).map(figure).join(", ");
  return make("figure", { class: "vector" }, image, make("figcaption", {}, `${name}: ${numbers.length} numbers: ${first}${numbers.length > 4 ? ", …" : ""}`));
}
