// A form for a function's input, made from its schema.

import { controlFor } from "./controls.js";
import { make } from "./making.js";
import { fieldsOf } from "./schemas.js";

/** The fields of an input. */
export class Form {
  /** @param signature as the function's card tells it; @param changed is told when a field is. */
  constructor(signature, changed) {
    this.controls = {};
    for (const field of fieldsOf(signature)) this.controls[field.name] = controlFor(field, this);
    this.element = make("div", { class: "fields", oninput: changed }, Object.values(this.controls).map((one) => one.element));
  }

  /** Return the control of the first text, in which places are. */
  textArea() {
    return Object.values(this.controls).find((one) => one.area)?.area;
  }

  /** Return what the fields say; what is left out is not there. */
  read() {
    const said = Object.entries(this.controls).map(([name, control]) => [name, control.read()]);
    return Object.fromEntries(said.filter(([, value]) => value !== undefined));
  }

  /** Let the fields say what an input does. */
  fill(input) {
    for (const [name, control] of Object.entries(this.controls)) control.fill(input[name]);
  }
}
