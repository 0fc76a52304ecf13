/** The symbols of a node: how often they occur, in how many patterns, and how they feel. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get } from "../api.js";
import { count, number } from "../format.js";
import { useAsked, useLive, useSettled } from "../hooks.js";
import { changesNode } from "../live.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { Pages, SortHead } from "../parts/paged.js";
import { shown } from "../parts/sequence.js";

const PAGE = 25;
const LONGEST_ASKED = 200;

/** A page of symbols with their affinities; those of very long symbols are not asked, no address could hold them. */
export async function symbolsOf(node, query, signal) {
  const page = await get("/symbols/stats", { node_id: node, limit: PAGE, ...query }, signal);
  const symbols = Object.values(page.symbols);
  const asked = symbols.map((each) => each.name).filter((name) => name.length <= LONGEST_ASKED);
  const felt = asked.length > 0 ? await get("/symbols/affinity", { node_id: node, symbol: asked }, signal) : null;
  return { ...page, symbols: symbols.map((each) => ({ ...each, affinity: felt?.affinities[each.name] ?? {} })) };
}

export function Symbols({ node }) {
  const [text, setText] = useState("");
  const [sort, setSort] = useState("-frequency");
  const [cursors, setCursors] = useState([]);
  const search = useSettled(text, 250);
  const cursor = cursors.at(-1);
  const found = useAsked((signal) => symbolsOf(node, { search, sort, cursor }, signal), [node, search, sort, cursor]);
  useLive(changesNode(node), found.again, [found.again]);
  const order = (next) => {
    setCursors([]);
    setSort(next);
  };
  const symbols = found.value?.symbols ?? [];
  return html`<form class="inline" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label for="search">Search</label>
      <input
        id="search"
        type="search"
        placeholder="part of a symbol"
        value=${text}
        onInput=${(event) => (setCursors([]), setText(event.target.value))}
      />
    </form>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && symbols.length === 0
      ? html`<${Nothing}>${search ? "No symbol has it." : "This node knows no symbol."}<//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Symbols" aria-busy=${found.loading}>
          <table>
            <thead>
              <tr>
                <${SortHead} by="name" sort=${sort} change=${order}>Symbol<//>
                <${SortHead} by="frequency" sort=${sort} change=${order} number>Frequency<//>
                <th scope="col" class="number">In patterns</th>
                <th scope="col">Affinity</th>
              </tr>
            </thead>
            <tbody>
              ${symbols.map(
                (each) => html`<tr key=${each.name}>
                  <th scope="row" class="term"><bdi class="name">${shown(each.name)}</bdi></th>
                  <td class="number">${count(each.frequency)}</td>
                  <td class="number">${count(each.pattern_member_frequency)}</td>
                  <td>
                    ${Object.entries(each.affinity).map(
                      ([name, value]) => html`<span class="felt"><bdi class="name">${name}</bdi> ${number(value)}</span> `,
                    )}
                  </td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    <${Pages} total=${found.value?.total} noun="symbol" cursors=${cursors} next=${found.value?.next_cursor} change=${setCursors} />`;
}
