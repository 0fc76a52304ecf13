/** The vectors a node has learned: the symbols they became, and in how many patterns those are. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { count, number, plural } from "../format.js";
import { useAsked, useLive } from "../hooks.js";
import { changesNode } from "../live.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { Pages } from "../parts/paged.js";
import { symbolsOf } from "./symbols.js";

const FIRST = 6;

/** The first components of a vector, all of them unfolded. */
function Components({ vector }) {
  if (!vector) return html`<span class="quiet">not known: observed by its name alone</span>`;
  const text = (some) => some.map(number).join("  ");
  if (vector.length <= FIRST) return html`<span class="components">${text(vector)}</span>`;
  return html`<details>
    <summary><span class="components">${text(vector.slice(0, FIRST))} …</span> <span class="quiet">${plural(vector.length, "component")}</span></summary>
    <span class="components">${text(vector)}</span>
  </details>`;
}

export function Vectors({ node }) {
  const [cursors, setCursors] = useState([]);
  const cursor = cursors.at(-1);
  const found = useAsked((signal) => symbolsOf(node, { search: "VCTR|", vectors: true, cursor }, signal), [node, cursor]);
  useLive(changesNode(node), found.again, [found.again]);
  const vectors = found.value?.symbols ?? [];
  return html`<p class="help">A vector is known by the symbol made of its components; equal vectors are one symbol.</p>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && vectors.length === 0
      ? html`<${Nothing}>No vector has been learned here.<//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Vectors">
          <table>
            <thead>
              <tr>
                <th scope="col">Symbol</th>
                <th scope="col">Components</th>
                <th scope="col" class="number">Frequency</th>
                <th scope="col" class="number">In patterns</th>
              </tr>
            </thead>
            <tbody>
              ${vectors.map(
                (each) => html`<tr key=${each.name}>
                  <th scope="row"><code class="name">${each.name}</code></th>
                  <td><${Components} vector=${each.vector} /></td>
                  <td class="number">${count(each.frequency)}</td>
                  <td class="number">${count(each.pattern_member_frequency)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    <${Pages} total=${found.value?.total} noun="vector" cursors=${cursors} next=${found.value?.next_cursor} change=${setCursors} />`;
}
