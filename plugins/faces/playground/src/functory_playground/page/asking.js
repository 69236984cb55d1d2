// Asks the server: what it answers, how long that took, and what is wrong in the server's own words.

/** What the server says is wrong: what, where, and what to do. */
export class Problem extends Error {
  constructor(told) {
    super(told.what);
    Object.assign(this, told);
  }
}

/** A server, and the token by which it lets this page in; it is kept here and nowhere else. */
export class Server {
  token = "";

  /** @param {URL} root what lies above the paths of the server. */
  constructor(root) {
    this.root = root;
  }

  /** Return the address of a path. */
  url(path) {
    return new URL(path, this.root).href;
  }

  /** Return the JSON at a path. */
  async get(path, signal) {
    return (await this.#answer(path, { signal })).json();
  }

  /** Return what the server makes of a body: the value, its JSON as it came, and the milliseconds. */
  async post(path, body, signal) {
    const begun = performance.now();
    const answer = await this.#answer(path, { method: "POST", body: JSON.stringify(body), signal });
    const json = await answer.text();
    return { value: JSON.parse(json), json, milliseconds: performance.now() - begun };
  }

  /** Give each piece of a text as it is written to `told`; return why it ended, and the milliseconds to its first piece and to its end. */
  async stream(path, body, told, signal) {
    const begun = performance.now();
    const answer = await this.#answer(path, { method: "POST", body: JSON.stringify(body), signal });
    let first = null;
    for await (const { event, data } of events(answer.body)) {
      if (event === "error") throw new Problem(data);
      if (event === "done") return { finish: data.finish, first: first ?? performance.now() - begun, milliseconds: performance.now() - begun };
      first ??= performance.now() - begun;
      told(data.piece);
    }
    throw new Problem({ what: "the text broke off.", do: "try again." });
  }

  async #answer(path, asked) {
    const headers = asked.body === undefined ? {} : { "Content-Type": "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    let answer;
    try {
      answer = await fetch(this.url(path), { ...asked, headers, credentials: "omit", cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem({ what: "the server does not answer.", do: "see whether it is still there, and try again." });
    }
    if (!answer.ok) throw await problemOf(answer);
    return answer;
  }
}

async function problemOf(answer) {
  const retry = answer.headers.get("Retry-After");
  const told = await answer.json().catch(() => ({ what: `the server answered ${answer.status}.` }));
  if (retry) told.do = [told.do, `Try again in ${retry} s.`].filter(Boolean).join(" ");
  return new Problem({ ...told, status: answer.status });
}

/** Give the server-sent events of a body. */
async function* events(body) {
  let rest = "";
  for await (const piece of decoded(body)) {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) yield eventOf(block);
  }
}

async function* decoded(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) yield value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function eventOf(block) {
  const found = { event: "", data: "" };
  for (const line of block.split("\n")) {
    const [name, ...rest] = line.split(": ");
    if (name in found) found[name] += rest.join(": ");
  }
  return { event: found.event, data: JSON.parse(found.data) };
}
