/** Tables that are asked for page by page and sorted by the server. */

import { html } from "../vendor/htm/standalone.module.js";
import { count } from "../format.js";

/**
 * A column's head that sorts. `sort` is the present order ("-frequency"), `by` this column's ("frequency"); the first press
 * of a number sorts the largest first.
 */
export function SortHead({ by, sort, change, number, children }) {
  const active = sort.replace(/^-/, "") === by;
  const descending = sort.startsWith("-");
  const next = active ? (descending ? by : `-${by}`) : number ? `-${by}` : by;
  return html`<th
    scope="col"
    class=${number ? "number" : undefined}
    aria-sort=${active ? (descending ? "descending" : "ascending") : undefined}
  >
    <button type="button" class="plain sort" onClick=${() => change(next)}>
      ${children}<span aria-hidden="true">${active ? (descending ? " ↓" : " ↑") : ""}</span>
    </button>
  </th>`;
}

/** Going through pages: `cursors` lead to the present one, `change(cursors)` to another. */
export function Pages({ total, noun, cursors, next, change }) {
  return html`<div class="paging">
    ${total !== undefined && html`<span role="status">${count(total)} ${noun}${total === 1 ? "" : "s"}</span>`}
    ${cursors.length > 0 && html`<button type="button" onClick=${() => change(cursors.slice(0, -1))}>Previous page</button>`}
    ${next && html`<button type="button" onClick=${() => change([...cursors, next])}>Next page</button>`}
  </div>`;
}
