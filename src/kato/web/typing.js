/**
 * What people type, as events: one line an event, its symbols apart by blanks; quotes keep blanks inside a symbol, and
 * `\"` and `\\` inside quotes are a quote and a backslash. A line that is a JSON list of strings is taken as such.
 */

/** The symbols of one line. Raises SyntaxError with a sentence when a quote is not closed. */
export function symbolsOf(line) {
  const trimmed = line.trim();
  if (trimmed.startsWith("[") && trimmed.endsWith("]")) {
    try {
      const list = JSON.parse(trimmed);
      if (Array.isArray(list) && list.every((each) => typeof each === "string")) return list;
    } catch {
      // words that happen to begin with a bracket
    }
  }
  const found = [];
  const words = /"((?:[^"\\]|\\.)*)"(?=\s|$)|(\S+)/gu;
  for (const [whole, quoted, bare] of trimmed.matchAll(words)) {
    if (bare?.startsWith('"')) throw new SyntaxError(`The quote before ${whole.slice(1, 40)} is not closed.`);
    found.push(quoted !== undefined ? quoted.replace(/\\(.)/gu, "$1") : bare);
  }
  return found;
}

/** The events of a text; blank lines are none. */
export function eventsOf(text) {
  return text
    .split(/\r?\n/)
    .map(symbolsOf)
    .filter((symbols) => symbols.length > 0);
}

/** `joy=0.5 calm=-1` as an object of numbers. Raises SyntaxError with a sentence. */
export function emotivesOf(text) {
  const found = {};
  for (const word of text.trim().split(/[\s,]+/u).filter(Boolean)) {
    const [, name, value] = /^(.+)=([^=]+)$/u.exec(word) ?? [];
    if (name === undefined || value.trim() === "" || !Number.isFinite(Number(value))) {
      throw new SyntaxError(`“${word.slice(0, 40)}” is not like joy=0.5.`);
    }
    found[name] = Number(value);
  }
  return found;
}
