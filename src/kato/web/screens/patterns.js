/** The patterns of a node: searched, sorted, page by page. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get } from "../api.js";
import { count, short } from "../format.js";
import { useAsked, useLive, useSettled } from "../hooks.js";
import { changesNode } from "../live.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { Pages, SortHead } from "../parts/paged.js";
import { Sequence } from "../parts/sequence.js";
import { link } from "../route.js";

const PAGE = 25;

export function Patterns({ node }) {
  const [text, setText] = useState("");
  const [sort, setSort] = useState("-frequency");
  const [cursors, setCursors] = useState([]);
  const search = useSettled(text, 250);
  const cursor = cursors.at(-1);
  const found = useAsked(
    (signal) => get("/patterns", { node_id: node, limit: PAGE, search, sort, cursor }, signal),
    [node, search, sort, cursor],
  );
  useLive(changesNode(node), found.again, [found.again]);
  const order = (next) => {
    setCursors([]);
    setSort(next);
  };
  const patterns = found.value?.patterns ?? [];
  return html`<form class="inline" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label for="search">Search</label>
      <input
        id="search"
        type="search"
        placeholder="part of a symbol, or how a name begins"
        value=${text}
        onInput=${(event) => (setCursors([]), setText(event.target.value))}
      />
    </form>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && patterns.length === 0
      ? html`<${Nothing}>${search ? "No pattern has it." : "This node has learned nothing, or forgotten all."}<//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Patterns" aria-busy=${found.loading}>
          <table class="stacks">
            <thead>
              <tr>
                <${SortHead} by="name" sort=${sort} change=${order}>Name<//>
                <${SortHead} by="frequency" sort=${sort} change=${order} number>Frequency<//>
                <${SortHead} by="length" sort=${sort} change=${order} number>Symbols<//>
                <th scope="col" class="whole">Events</th>
              </tr>
            </thead>
            <tbody>
              ${patterns.map(
                (each) => html`<tr key=${each.name + JSON.stringify(each.data)}>
                  <th scope="row"><a href=${link("node", node, "pattern", each.name)}><code>${short(each.name)}</code></a></th>
                  <td class="number">${count(each.frequency)}</td>
                  <td class="number">${count(each.length)}</td>
                  <td class="whole"><${Sequence} events=${each.data} most=${10} /></td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    <${Pages} total=${found.value?.total} noun="pattern" cursors=${cursors} next=${found.value?.next_cursor} change=${setCursors} />`;
}
