/** Questions to the server this page came from: HTTP only, and the key that goes with them. */

const KEY = "kato.key";

/** The API key typed into the page; kept for this tab only. */
export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set(value) {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  },
};

/** An answer of 400 or more, or none at all (status 0). `message` is a sentence for people. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A path with its values encoded: path`/pattern/${name}`. */
export function path(fixed, ...values) {
  return fixed.reduce((whole, part, at) => whole + encodeURIComponent(values[at - 1]) + part);
}

function queryText(query) {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const each of Array.isArray(value) ? value : [value]) text.append(name, each);
  }
  const written = text.toString();
  return written ? `?${written}` : "";
}

/**
 * Ask the server.
 *
 * Raises Refused when it refuses or cannot be reached. A write carries an Idempotency-Key, so the browser's own retries take
 * effect once.
 */
export async function ask(method, where, { query = {}, body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (key.get()) headers["X-API-Key"] = key.get();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = makeKey();
  let response;
  try {
    response = await fetch(where + queryText(query), {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "UNREACHABLE", "The server does not answer. Is it still running?");
  }
  return read(response);
}

async function read(response) {
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    if (response.ok) throw new Refused(response.status, "UNEXPECTED", "The server's answer is not JSON.");
  }
  if (response.ok) return answer;
  const error = answer?.error ?? {};
  throw new Refused(response.status, error.code ?? "", error.message ?? `The server answered ${response.status}.`);
}

function makeKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const get = (where, query, signal) => ask("GET", where, { query, signal });
export const post = (where, body, query) => ask("POST", where, { body, query });
export const put = (where, body) => ask("PUT", where, { body });
export const patch = (where, body, query) => ask("PATCH", where, { body, query });
export const remove = (where, query) => ask("DELETE", where, { query });
