/** Sequences of events, as text and nothing but text. */

import { html } from "../vendor/htm/standalone.module.js";
import { count, isPatternName, isVectorName, short } from "../format.js";

const LONGEST = 60;

/** What is shown of a symbol: all of it, or its beginning and how long it is. */
export function shown(symbol) {
  if (symbol === "") return "(empty)";
  if (isVectorName(symbol)) return `${symbol.slice(0, 13)}…`;
  if (isPatternName(symbol)) return `▸ ${short(symbol)}`;
  const letters = [...symbol.slice(0, LONGEST * 2)];
  if (letters.length <= LONGEST) return symbol;
  return `${letters.slice(0, LONGEST).join("")}… (${count(symbol.length)} characters)`;
}

const TOLD = { missing: "missing", extra: "extra", fuzzy: "read as another" };

/** One symbol. `kind`: "match", "missing", "extra", "fuzzy" or none. */
export function Symbol({ symbol, kind, note }) {
  const told = kind && TOLD[kind] ? html`<span class="unseen"> (${note ?? TOLD[kind]})</span>` : null;
  const title = note ?? (symbol.length > LONGEST || isVectorName(symbol) ? symbol.slice(0, 1000) : undefined);
  return html`<bdi class="symbol ${kind ?? ""} ${symbol === "" ? "blank" : ""}" title=${title}>${shown(symbol)}</bdi>${told}`;
}

/** One event: its symbols together. `symbols`: texts, or { symbol, kind, note }. */
export function Event({ symbols }) {
  return html`<span class="event"
    >${symbols.map((each) =>
      typeof each === "string" ? html`<${Symbol} symbol=${each} /> ` : html`<${Symbol} ...${each} /> `,
    )}</span
  >`;
}

/** A sequence of events in a row; of a long one its beginning, and how many follow. */
export function Sequence({ events, most = 12, label }) {
  const rest = events.length - most;
  return html`<ol class="sequence" aria-label=${label}>
    ${events.slice(0, most).map((symbols) => html`<li><${Event} symbols=${symbols} /></li>`)}
    ${rest > 0 ? html`<li class="more">and ${count(rest)} more</li>` : null}
  </ol>`;
}
