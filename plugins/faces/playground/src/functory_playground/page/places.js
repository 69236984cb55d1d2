// Finds the text in which an output's places are: offsets say where, and not in which of an input's texts.

import { stretch } from "./counting.js";

/** Return the text of an input, or else of the output, in which all places are what they say; `null` where there is none. */
export function textOf(places, input, output) {
  const texts = [...Object.values(input), output.text].filter((one) => typeof one === "string");
  const fits = (text) => places.every((one) => {
    const there = stretch(text, one.start, one.end);
    return there !== null && one.start < one.end && (typeof one.text !== "string" || one.text === there);
  });
  return texts.find(fits) ?? null;
}

/** Return an input's list of texts by its name; one text alone is a list of it. */
export function listOf(name, input) {
  const found = input[name];
  return typeof found === "string" ? [found] : Array.isArray(found) ? found : null;
}
