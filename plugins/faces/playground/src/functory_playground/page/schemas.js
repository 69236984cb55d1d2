// Reads the JSON Schema of an input: which fields there are, and which kind of control each wants.

/** Return the fields of a function's input, those first that it is called with by place. */
export function fieldsOf(signature) {
  const whole = signature.input;
  const names = Object.keys(whole.properties ?? {});
  const order = [...new Set([...(signature.shorthand ?? []), ...names])].filter((name) => names.includes(name));
  return order.map((name, place) => {
    const schema = resolved(whole.properties[name], whole);
    return {
      name,
      about: whole.properties[name].description ?? schema.description ?? "",
      isNeeded: (whole.required ?? []).includes(name),
      fallback: whole.properties[name].default ?? null,
      isAlwaysSaid: place === 0 && whole.properties[name].default === "", // else an empty input would say nothing at all
      ...controlOf(schema, whole),
    };
  });
}

/** Return the kind of control for a schema, and the choices where there are some. */
export function controlOf(schema, whole) {
  const ways = (schema.anyOf ?? schema.oneOf ?? [schema]).map((way) => resolved(way, whole)).filter((way) => way.type !== "null");
  const choices = ways.flatMap((way) => way.enum ?? ("const" in way ? [way.const] : []));
  if (choices.length && ways.every((way) => way.enum || "const" in way)) return { kind: "choice", choices };
  const kinds = ways.map((way) => kindOf(way, whole));
  const kind = ["text", "list", "place", "flag", "number"].find((one) => kinds.includes(one)) ?? "json";
  return { kind, isWhole: ways.some((way) => way.type === "integer"), least: ways[0]?.minimum, most: ways[0]?.maximum };
}

function kindOf(schema, whole) {
  if (schema.type === "string") return "text";
  if (schema.type === "boolean") return "flag";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "array" && resolved(schema.items ?? {}, whole).type === "string") return "list";
  const parts = Object.entries(schema.properties ?? {}).map(([name, one]) => `${name}:${one.type}`);
  return parts.sort().join() === "end:integer,start:integer" ? "place" : "json";
}

function resolved(schema, whole) {
  if (!schema?.$ref) return schema ?? {};
  const steps = schema.$ref.replace(/^#\//, "").split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce((part, step) => part?.[step], whole) ?? {};
}
