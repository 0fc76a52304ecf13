/** Patterns made of patterns: a symbol that is the name of one unfolds in place, from this node or another. */

import { html, useEffect, useState } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { bare, count, isPatternName, short } from "../format.js";
import { useAsked, useSettled } from "../hooks.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { Pages } from "../parts/paged.js";
import { Event, Symbol } from "../parts/sequence.js";
import { last, link } from "../route.js";

const PAGE = 20;
/** Other nodes that are asked for a name this one does not know. */
const NODES = 20;
/** What every symbol has that names a pattern in full. A search for "PTRN|" itself would look for names that begin so. */
const NAMES = "TRN|";

/** The pattern of a name, sought in `node` first and in the others then. Returns { pattern, node } or null. */
async function seek(name, node, signal) {
  const others = (await get("/nodes", { limit: NODES }, signal)).nodes.map((each) => each.node_id);
  for (const each of [node, ...others.filter((other) => other !== node)]) {
    try {
      return { node: each, pattern: (await get(path`/pattern/${name}`, { node_id: each }, signal)).pattern };
    } catch (refused) {
      if (refused.status !== 404) throw refused;
    }
  }
  return null;
}

/** A symbol that names a pattern: a button that unfolds it. `within`: names above it, so that no circle unfolds for ever. */
function Named({ symbol, node, within }) {
  const [open, setOpen] = useState(false);
  const isCircle = within.includes(bare(symbol).toLowerCase());
  if (isCircle) return html`<span class="event"><${Symbol} symbol=${symbol} /> <span class="quiet">itself again</span></span>`;
  return html`<span class="unfolding">
    <button type="button" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span aria-hidden="true">${open ? "▾" : "▸"}</span> <code>${short(symbol)}</code>
    </button>
    ${open && html`<${Unfolded} name=${symbol} node=${node} within=${[...within, bare(symbol).toLowerCase()]} />`}
  </span>`;
}

function Unfolded({ name, node, within }) {
  const found = useAsked((signal) => seek(name, node, signal), [name, node]);
  if (found.error) return html`<${Trouble} error=${found.error} again=${found.again} />`;
  if (found.loading) return html`<span class="quiet">…</span>`;
  if (!found.value) return html`<span class="quiet">No node here knows this pattern.</span>`;
  const { pattern, node: home } = found.value;
  return html`<div class="unfolded">
    <${Body} events=${pattern.data} node=${home} within=${within} />
    <p class="help">
      ${home === node ? "" : html`in node <bdi class="name">${home}</bdi> · `}${count(pattern.frequency)}× · <a href=${link("node", home, "pattern", name)}>the pattern</a>
    </p>
  </div>`;
}

function Body({ events, node, within }) {
  return html`<ol class="sequence tall">
    ${events.map(
      (symbols) => html`<li>
        ${!symbols.some(isPatternName) && html`<${Event} symbols=${symbols} />`}
        ${symbols.some(isPatternName) && symbols.map((symbol) =>
          isPatternName(symbol)
            ? html`<${Named} symbol=${symbol} node=${node} within=${within} /> `
            : html`<span class="event"><${Symbol} symbol=${symbol} /></span> `,
        )}
      </li>`,
    )}
  </ol>`;
}

export function Hierarchy({ id }) {
  useEffect(() => {
    if (id) last.set("node", id);
  }, [id]);
  if (!id) {
    return html`<h1>Hierarchy</h1>
      <p class="lead">Patterns whose symbols are the names of other patterns. Choose a node in the <a href=${link()}>overview</a>.</p>`;
  }
  return html`<${Tree} key=${id} id=${id} />`;
}

function Tree({ id }) {
  const [text, setText] = useState("");
  const [cursors, setCursors] = useState([]);
  const search = useSettled(text, 250);
  const cursor = cursors.at(-1);
  const found = useAsked(
    (signal) => get("/patterns", { node_id: id, search: search || NAMES, limit: PAGE, sort: "-frequency", cursor }, signal),
    [id, search, cursor],
  );
  const patterns = found.value?.patterns ?? [];
  return html`<h1>Hierarchy <span class="quiet">of node</span> <bdi class="name">${id}</bdi></h1>
    <p class="lead">
      Patterns whose symbols are the names of other patterns. A name unfolds into the pattern it stands for, out of this node
      or, where this one does not know it, out of another.
    </p>
    <form class="inline" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label for="search">Search</label>
      <input
        id="search"
        type="search"
        placeholder="part of a symbol or name"
        value=${text}
        onInput=${(event) => (setCursors([]), setText(event.target.value))}
      />
    </form>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value &&
    (patterns.length === 0
      ? html`<${Nothing}>No pattern here is made of patterns. Observe pattern names, such as PTRN|…, to build a level above.<//>`
      : patterns.map(
          (each) => html`<article class="panel tier" key=${each.name}>
            <h2>
              <a href=${link("node", id, "pattern", each.name)}><code>${short(each.name)}</code></a>
              <span class="quiet"> ${count(each.frequency)}×</span>
            </h2>
            <${Body} events=${each.data} node=${id} within=${[bare(each.name)]} />
          </article>`,
        ))}
    <${Pages} total=${found.value?.total} noun="pattern" cursors=${cursors} next=${found.value?.next_cursor} change=${setCursors} />`;
}
