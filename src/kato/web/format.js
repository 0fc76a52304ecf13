/** Numbers, times and names as people read them. */

const whole = new Intl.NumberFormat("en");
const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** 1234567 → "1,234,567"; null → "–". */
export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));

/** A measured number with four digits that count; null → "–". */
export const number = (value) => (value === null || value === undefined ? "–" : few.format(value));

/** 1536 → "1.5 KiB". */
export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds → "2 d 3 h", "4 min", "12 s". */
export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.round((seconds % 86_400) / 3600)} h`;
}

/** A moment → "5 s ago", in words of the distance to now. */
export function ago(time) {
  if (!time) return "–";
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  return seconds < 2 ? "just now" : `${duration(seconds)} ago`;
}

/** A moment as date and time of day, here. */
export const moment = (time) =>
  time ? new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) : "–";

/** A pattern's name without prefix. */
export const bare = (name) => name.replace(/^PTRN\|/i, "");

/** Enough of a pattern's name to know it again. */
export const short = (name) => bare(name).slice(0, 8);

/** Enough of a session's id to know it again. */
export const shortSession = (id) => id.replace(/^session-/, "").slice(0, 8);

/** Whether a symbol is the name of a pattern. */
export const isPatternName = (symbol) => /^(PTRN\|)?[0-9a-f]{40}$/i.test(symbol);

/** Whether a symbol is the name of a vector. */
export const isVectorName = (symbol) => /^VCTR\|[0-9a-f]{40}$/.test(symbol);

/** `n` with its noun: plural(1, "event") → "1 event". */
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
