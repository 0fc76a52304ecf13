/** Choosing a session, or making one. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get, post } from "../api.js";
import { ago, count, duration, moment, shortSession } from "../format.js";
import { useAsked, useLive, useSettled } from "../hooks.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { go, last, link } from "../route.js";

function Make() {
  const [node, setNode] = useState(last.get("node"));
  const [error, setError] = useState(null);
  const nodes = useAsked((signal) => get("/nodes", { limit: 100 }, signal), []);
  const make = async (event) => {
    event.preventDefault();
    try {
      const made = await post("/sessions", { node_id: node });
      last.set("node", node);
      go("session", made.session_id);
    } catch (refused) {
      setError(refused);
    }
  };
  return html`<form class="inline" onSubmit=${make}>
      <label for="node-id">Node</label>
      <input
        id="node-id"
        list="known-nodes"
        required
        autocomplete="off"
        placeholder="any name, for instance breakfast"
        value=${node}
        onInput=${(event) => setNode(event.target.value)}
      />
      <datalist id="known-nodes">${nodes.value?.nodes.map((each) => html`<option value=${each.node_id} />`)}</datalist>
      <button type="submit" class="primary">New session</button>
    </form>
    <${Trouble} error=${error} />`;
}

export function Sessions() {
  const [text, setText] = useState("");
  const [cursors, setCursors] = useState([]);
  const node = useSettled(text, 250);
  const cursor = cursors.at(-1);
  const found = useAsked((signal) => get("/sessions", { limit: 25, node_id: node, cursor }, signal), [node, cursor]);
  useLive((event) => /^session\.(created|destroyed)$/.test(event.event_type), found.again, [found.again]);
  const sessions = found.value?.sessions ?? [];
  return html`<h1>Session</h1>
    <p class="lead">
      A session is one conversation with a node: it holds the short-term memory. What is learned belongs to the node and stays.
    </p>
    <${Make} />
    <h2>Live sessions</h2>
    <form class="inline" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label for="of-node">Of node</label>
      <input
        id="of-node"
        type="search"
        placeholder="all"
        value=${text}
        onInput=${(event) => (setText(event.target.value), setCursors([]))}
      />
    </form>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && sessions.length === 0
      ? html`<${Nothing}>There is none.<//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Live sessions">
          <table>
            <thead>
              <tr>
                <th scope="col">Session</th>
                <th scope="col">Node</th>
                <th scope="col" class="number">Events held</th>
                <th scope="col">Last access</th>
                <th scope="col">Ends in</th>
              </tr>
            </thead>
            <tbody>
              ${sessions.map(
                (each) => html`<tr key=${each.session_id}>
                  <th scope="row"><a href=${link("session", each.session_id)}>${shortSession(each.session_id)}</a></th>
                  <td><bdi class="name">${each.node_id}</bdi></td>
                  <td class="number">${count(each.stm_length)}</td>
                  <td title=${moment(each.last_accessed)}>${ago(each.last_accessed)}</td>
                  <td>${duration(each.remaining_ttl)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    <div class="paging">
      ${found.value && html`<span>${count(found.value.total)} in all</span>`}
      ${cursors.length > 0 && html`<button type="button" onClick=${() => setCursors(cursors.slice(0, -1))}>Previous</button>`}
      ${found.value?.next_cursor &&
      html`<button type="button" onClick=${() => setCursors([...cursors, found.value.next_cursor])}>Next</button>`}
    </div>`;
}
