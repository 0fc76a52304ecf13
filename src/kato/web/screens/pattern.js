/** One pattern: all that is known of it, and correcting it. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { edit, forget } from "../changes.js";
import { bare, count, number, plural, short } from "../format.js";
import { useAsked, useLive } from "../hooks.js";
import { changesNode } from "../live.js";
import { EditPattern } from "../parts/edit.js";
import { Entries } from "../parts/history.js";
import { Dialog, Nothing, say, Trouble } from "../parts/notice.js";
import { Sequence } from "../parts/sequence.js";
import { go, link } from "../route.js";

const HISTORY = 50;

export function PatternScreen({ node, name }) {
  const found = useAsked((signal) => get(path`/pattern/${name}`, { node_id: node }, signal), [node, name]);
  const history = useAsked(
    (signal) => get(path`/nodes/${node}/history`, { pattern: name, limit: HISTORY }, signal),
    [node, name],
  );
  const [open, setOpen] = useState("");
  const again = () => Promise.all([found.again(), history.again()]);
  useLive(changesNode(node), again, [found.again, history.again]);
  const pattern = found.value?.pattern;
  const forgetIt = async () => {
    const done = await forget(node, name);
    go("node", node); // there is nothing to look at here any more
    say(...done);
  };
  return html`<p class="help"><a href=${link("node", node)}>Node <bdi class="name">${node}</bdi></a></p>
    <div class="title">
      <h1><span class="quiet">Pattern</span> <code>${short(name)}</code></h1>
      ${pattern &&
      html`<span class="actions">
        <button type="button" onClick=${() => setOpen("edit")}>Edit…</button>
        <button type="button" onClick=${() => setOpen("forget")}>Forget…</button>
      </span>`}
    </div>
    <p class="help"><code class="name">${bare(name)}</code></p>
    <${Trouble} error=${found.error} again=${found.error?.status === 404 ? null : found.again} />
    ${pattern && html`<${Known} pattern=${pattern} />`}
    <h2>History</h2>
    <${Trouble} error=${history.error} again=${history.again} />
    ${history.value && html`<${Entries} entries=${history.value.entries} />`}
    ${history.value?.has_more && html`<p class="help">The newest ${HISTORY} changes are shown.</p>`}
    ${open === "forget" &&
    html`<${Dialog} title="Forget this pattern?" action="Forget" danger act=${forgetIt} close=${() => setOpen("")}>
      <p>It was learned ${plural(pattern.frequency, "time")}. Later predictions are as if it had never been.</p>
      <${Sequence} events=${pattern.data} most=${8} />
    <//>`}
    ${open === "edit" &&
    html`<${EditPattern} pattern=${pattern.pattern} act=${async (members) => say(...(await edit(node, name, members)))} close=${() => setOpen("")} />`}`;
}

function Known({ pattern }) {
  const emotives = Object.entries(pattern.emotives);
  const metadata = Object.entries(pattern.metadata);
  return html`<dl class="facts">
      <div><dt>Frequency</dt><dd>${count(pattern.frequency)}</dd></div>
      <div><dt>Events</dt><dd>${count(pattern.data.length)}</dd></div>
      <div><dt>Symbols</dt><dd>${count(pattern.length)}</dd></div>
    </dl>
    <h2>Events</h2>
    <${Sequence} events=${pattern.data} most=${500} label="Events of the pattern, in order" />
    <div class="pair">
      <section aria-labelledby="emotives">
        <h2 id="emotives">Emotives</h2>
        ${emotives.length === 0
          ? html`<${Nothing}>None was observed with it.<//>`
          : html`<table>
              <thead>
                <tr><th scope="col">Emotive</th><th scope="col" class="number">Mean</th><th scope="col">Values, oldest first</th></tr>
              </thead>
              <tbody>
                ${emotives.map(
                  ([name, values]) => html`<tr key=${name}>
                    <th scope="row"><bdi class="name">${name}</bdi></th>
                    <td class="number">${number(values.reduce((sum, value) => sum + value, 0) / values.length)}</td>
                    <td>${values.map(number).join("  ")}</td>
                  </tr>`,
                )}
              </tbody>
            </table>`}
      </section>
      <section aria-labelledby="metadata">
        <h2 id="metadata">Metadata</h2>
        ${metadata.length === 0
          ? html`<${Nothing}>None came with it.<//>`
          : html`<table>
              <tbody>
                ${metadata.map(
                  ([name, values]) => html`<tr key=${name}>
                    <th scope="row"><bdi class="name">${name}</bdi></th>
                    <td>${values.map((value) => html`<div><bdi class="name">${value}</bdi></div>`)}</td>
                  </tr>`,
                )}
              </tbody>
            </table>`}
      </section>
    </div>`;
}
