// What one types elsewhere to have the same answer: for a shell, and for Python's standard library.
// A token is named by a variable, and never written out.

/** Return a line for a shell. */
export function curl(url, body, hasToken, isStream) {
  const lines = [
    `curl -s${isStream ? "N" : ""} ${quoted(url)}`,
    "-H 'Content-Type: application/json'",
    ...(hasToken ? ['-H "Authorization: Bearer $FUNCTORY_TOKEN"'] : []),
    `-d ${quoted(JSON.stringify(body))}`,
  ];
  return lines.join(" \\\n  ");
}

/** Return a program. */
export function python(url, body, hasToken, isStream) {
  const token = hasToken ? ', "Authorization": f"Bearer {os.environ[\'FUNCTORY_TOKEN\']}"' : "";
  const read = isStream
    ? "    for line in answer:\n        print(line.decode(), end=\"\")"
    : "    print(json.load(answer))";
  return [
    "import json",
    ...(hasToken ? ["import os"] : []),
    "from urllib.request import Request, urlopen",
    "",
    `body = ${literal(body)}`,
    `headers = {"Content-Type": "application/json"${token}}`,
    `url = ${JSON.stringify(url)}`,
    "with urlopen(Request(url, json.dumps(body).encode(), headers)) as answer:",
    read,
  ].join("\n");
}

function quoted(text) {
  return /^[\w:/.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function literal(value) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one)}`).join(", ")}}`;
  return JSON.stringify(value);
}
