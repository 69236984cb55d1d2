// Makes elements. All that a page shows goes through here: texts become text nodes, and nothing is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element; a fact is an attribute, `on…` a listener, and what is null or false is left out. */
export function make(tag, facts = {}, ...children) {
  return filled(document.createElement(tag), facts, children);
}

/** Return an element of an SVG image. */
export function drawn(tag, facts = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), facts, children);
}

/** Return an element that screen readers tell and nobody sees. */
export function unseen(...children) {
  return make("span", { class: "unseen" }, ...children);
}

/** Return a heading and what stands below it, as a part of the page that has its name. */
export function part(title, ...children) {
  const id = fresh("part");
  return make("section", { class: "part", "aria-labelledby": id }, make("h2", { id }, title), ...children);
}

let made = 0;

/** Return an id that nothing else has. */
export function fresh(name) {
  made += 1;
  return `${name}-${made}`;
}

function filled(element, facts, children) {
  for (const [name, value] of Object.entries(facts)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
