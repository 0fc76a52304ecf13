/** What happened to a node or a pattern, out of the log, and going back. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { goBack } from "../changes.js";
import { ago, count, moment, number, plural, short, shortSession } from "../format.js";
import { useAsked, useLive } from "../hooks.js";
import { changesNode } from "../live.js";
import { link } from "../route.js";
import { Dialog, Nothing, say, Trouble } from "./notice.js";
import { Sequence } from "./sequence.js";

const DONE = { learn: "learned", edit: "edited", forget: "forgotten", forget_all: "all forgotten", undo: "undone" };

function values(record) {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : typeof value === "number" ? number(value) : JSON.stringify(value)}`)
    .join(" · ");
}

/** Texts that are alike, once each, with how often. */
function folded(records) {
  const often = new Map();
  for (const each of records.filter((record) => Object.keys(record).length > 0)) {
    const text = values(each);
    often.set(text, (often.get(text) ?? 0) + 1);
  }
  return [...often].map(([text, times]) => (times > 1 ? `${text} ×${times}` : text)).join(" | ");
}

/** What one entry says besides what was done: the frequency set, metadata, emotives. */
function Details({ details }) {
  const said = [];
  if (details.forgotten) said.push("was not there then");
  if (details.frequency !== undefined) said.push(`frequency ${count(details.frequency)}`);
  if (details.to !== undefined) said.push(`back to change ${count(details.to)}`);
  const metadata = folded([details.metadata ?? []].flat());
  const emotives = folded(details.emotives ?? []);
  return html`${details.events ? html`<${Sequence} events=${details.events} most=${6} />` : null}
    ${said.map((each) => html`<div>${each}</div>`)}
    ${metadata && html`<div><span class="quiet">metadata</span> <bdi>${metadata}</bdi></div>`}
    ${emotives && html`<div><span class="quiet">emotives</span> <bdi>${emotives}</bdi></div>`}`;
}

/** A table of entries, newest first. `node` given: each names its pattern; `back` given: one can go back before each, the first of
 * which is the `newest` of all. */
export function Entries({ entries, node, back, newest }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What happened, newest first">
    <table class="stacks untitled">
      <thead>
        <tr>
          <th scope="col" class="number">Change</th>
          <th scope="col">When</th>
          <th scope="col">What</th>
          ${node !== undefined && html`<th scope="col">Pattern</th>`}
          <th scope="col" class="whole">Details</th>
          <th scope="col">By</th>
          ${back && html`<th scope="col"><span class="unseen">Going back</span></th>`}
        </tr>
      </thead>
      <tbody>
        ${entries.map(
          (entry, at) => html`<tr key=${entry.sequence}>
            <th scope="row" class="number">${count(entry.sequence)}</th>
            <td title=${moment(entry.at)}>${ago(entry.at)}</td>
            <td>${DONE[entry.operation] ?? entry.operation}</td>
            ${node !== undefined &&
            html`<td>
              ${entry.pattern_name &&
              html`<a href=${link("node", node, "pattern", entry.pattern_name)}><code>${short(entry.pattern_name)}</code></a>`}
            </td>`}
            <td class="details whole"><${Details} details=${entry.details} /></td>
            <td>
              ${[entry.actor, entry.session_id && `session ${shortSession(entry.session_id)}`].filter(Boolean).join(", ") || "–"}
            </td>
            ${back &&
            html`<td>
              <button type="button" onClick=${() => back(entry)} aria-label="Undo change ${entry.sequence} and all since">${at === 0 && newest ? "Undo this" : "Undo this and all since"}</button>
            </td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** The history of a node, page by page, with going back. */
export function NodeHistory({ node }) {
  const [cursors, setCursors] = useState([]);
  const [chosen, setChosen] = useState(null);
  const cursor = cursors.at(-1);
  const found = useAsked(
    (signal) => get(path`/nodes/${node}/history`, { limit: 25, cursor }, signal),
    [node, cursor],
  );
  useLive(changesNode(node), found.again, [found.again]);
  const { entries = [], head, next_cursor: next } = found.value ?? {};
  const act = async () => {
    const sentence = await goBack(node, chosen.sequence - 1, head);
    setCursors([]);
    await found.again();
    say(sentence);
  };
  return html`<${Trouble} error=${found.error} again=${found.again} />
    ${found.value && entries.length === 0
      ? html`<${Nothing}>Nothing has happened here yet.<//>`
      : html`<${Entries} entries=${entries} node=${node} back=${setChosen} newest=${cursors.length === 0} />`}
    <div class="paging">
      ${head !== undefined && html`<span>${plural(head, "change")} in all</span>`}
      ${cursors.length > 0 && html`<button type="button" onClick=${() => setCursors(cursors.slice(0, -1))}>Newer</button>`}
      ${next && html`<button type="button" onClick=${() => setCursors([...cursors, next])}>Older</button>`}
    </div>
    ${chosen &&
    html`<${Dialog} title="Go back?" action="Undo" act=${act} close=${() => setChosen(null)}>
      <p>
        ${chosen.sequence === head
          ? `The newest change, ${count(head)}, is taken back.`
          : `${plural(head - chosen.sequence + 1, "change")} are taken back: number ${count(chosen.sequence)} and all since.`}
        ${" "}The node is then as it was before. This is a change of its own in the history, and can be undone too.
      </p>
    <//>`}`;
}
