// Counts characters as the server does: whole ones, where a script's own indices count halves of those beyond the first plane.

/** Return where a character stands in a script's count; `null` where the text ends before it. */
export function indexOf(text, character) {
  let index = 0;
  for (let left = character; left > 0; left -= 1) {
    if (index >= text.length) return null;
    index += text.codePointAt(index) > 0xffff ? 2 : 1;
  }
  return index;
}

/** Return which character stands at a script's index. */
export function characterAt(text, index) {
  return [...text.slice(0, index)].length;
}

/** Return the characters from one to before another; `null` where the text has no such. */
export function stretch(text, start, end) {
  const [from, to] = [indexOf(text, start), indexOf(text, end)];
  return from === null || to === null ? null : text.slice(from, to);
}

/** Return a number as people read it. */
export function figure(value) {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  const told = size !== 0 && (size < 0.001 || size >= 1e6) ? value.toExponential(2) : value.toFixed(size < 100 ? 3 : 1);
  return told.replace("-", "−");
}

/** Return how long something took, as people read it. */
export function duration(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}
