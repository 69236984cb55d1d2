// Where brackets and arcs go, so that none crosses another's words. Pure: it knows boxes and numbers, and no page.

const TRACK = 17;
/** Pixels of a bracket with its label, and of an arc with its. */
const LETTER = 6.2;
const SIGN = 11.4;
/** Pixels of a label's letter, about, and of a Chinese sign or another that is as wide. */
const GAP = 4;

/** Return the pixels that are needed above and below each line. */
export function room(pieces, edges) {
  const below = Math.max(0, ...tracks(pieces.map(extent)).map((track) => track + 1)) * TRACK;
  const above = edges.length ? (Math.max(0, ...tracks(legs(pieces, edges, Infinity).map(span)).map((track) => track + 1)) * TRACK) + 4 : 0;
  return { above, below };
}

/** Return each piece with the height `y` of its bracket. */
export function brackets(pieces) {
  const found = tracks(pieces.map(extent));
  return pieces.map((piece, place) => ({ ...piece, y: piece.bottom + 3 + found[place] * TRACK }));
}

/** Return what each arc is drawn of: one leg, or two where it goes from one line to another. */
export function arcs(pieces, edges, width) {
  const all = legs(pieces, edges, width);
  const found = tracks(all.map(span));
  return all.map((leg, place) => ({ ...leg, y: leg.top - 6 - found[place] * TRACK, at: within(leg, width) }));
}

function legs(pieces, edges, width) {
  const first = new Map(pieces.filter((one) => one.isFirst).map((one) => [one.node, one]));
  return edges.flatMap((edge) => {
    const [head, tail] = [first.get(edge.head), first.get(edge.tail)];
    if (!head || !tail) return [];
    const [from, to] = [middle(head), middle(tail)];
    const leg = { line: head.bottom, top: head.top, low: head.top - 1, end: tail.top - 1, label: edge.label };
    if (Math.abs(head.bottom - tail.bottom) < 2) {
      const aside = from === to ? 0 : Math.sign(to - from) * 3;
      return [{ ...leg, from: from + aside, to: to - aside, hasHead: true }];
    }
    const [out, back] = tail.bottom > head.bottom ? [width, 0] : [0, width];
    // The longer leg has the label; as long as nobody knows which it is, both may.
    const [isFirst, isSecond] = Number.isFinite(width) ? [Math.abs(out - from) >= Math.abs(to - back), Math.abs(out - from) < Math.abs(to - back)] : [true, true];
    return [
      { ...leg, from, to: out, hasHead: false, label: isFirst ? edge.label : "" },
      { ...leg, line: tail.bottom, top: tail.top, low: null, from: back, to, hasHead: true, label: isSecond ? edge.label : "" },
    ];
  });
}

/** Return for each interval the lowest track in which it meets no other of its line; the narrow ones go first. */
function tracks(intervals) {
  const order = intervals.map((_, place) => place).sort((one, other) => intervals[one].right - intervals[one].left - (intervals[other].right - intervals[other].left));
  const taken = [];
  const found = intervals.map(() => 0);
  for (const place of order) {
    const one = intervals[place];
    const meets = (track) => (taken[track] ?? []).some((other) => Math.abs(other.line - one.line) < 2 && other.left < one.right + GAP && one.left < other.right + GAP);
    while (meets(found[place])) found[place] += 1;
    (taken[found[place]] ??= []).push(one);
  }
  return found;
}

/** Return the interval of a bracket: as wide as its words, or as its label. */
function extent({ left, right, bottom, label }) {
  const half = Math.max((right - left) / 2, wide(label) / 2);
  return { left: (left + right) / 2 - half, right: (left + right) / 2 + half, line: bottom };
}

function span({ from, to, line, label }) {
  const half = Math.max(Math.abs(to - from) / 2, Math.min(wide(label), 170) / 2);
  const center = Number.isFinite(from + to) ? (from + to) / 2 : Math.min(from, to);
  return { left: Number.isFinite(from + to) ? center - half : Math.min(from, to), right: Number.isFinite(from + to) ? center + half : Infinity, line };
}

/** Return where the middle of a leg's label is, so that all of it lies within the width. */
function within({ from, to, label }, width) {
  const half = Math.min(width, wide(label)) / 2;
  return Math.min(Math.max((from + to) / 2, half), width - half);
}

/** Return how wide a label is, about. */
function wide(label) {
  return [...label].reduce((sum, letter) => sum + (letter > "\u2e7f" ? SIGN : LETTER), 0);
}

function middle({ left, right }) {
  return (left + right) / 2;
}
