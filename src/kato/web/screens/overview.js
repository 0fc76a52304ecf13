/** What there is: the nodes, and what happens in them right now. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get } from "../api.js";
import { ago, bytes, count, duration, moment, plural } from "../format.js";
import { useAsked, useLive, useTick } from "../hooks.js";
import { CHANGES, perSecond } from "../live.js";
import { Sparkline } from "../parts/charts.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { link } from "../route.js";

const PAGE = 50;
const sum = (values) => values.reduce((total, value) => total + value, 0);

function Facts({ health, sessions, learned, changed }) {
  const facts = [
    ["Service", health ? `${health.status}, up ${duration(health.uptime_seconds)}` : "–"],
    ["Version", health?.version ?? "–"],
    ["Live sessions", count(sessions?.count)],
  ];
  return html`<dl class="facts">
    ${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    <div>
      <dt>Learned in the last minute</dt>
      <dd>${count(sum(learned))} <${Sparkline} values=${learned} label="${plural(sum(learned), "pattern")} learned" /></dd>
    </div>
    <div>
      <dt>Sessions changed in the last minute</dt>
      <dd>${count(sum(changed))} <${Sparkline} values=${changed} label="${plural(sum(changed), "change")} of sessions" /></dd>
    </div>
  </dl>`;
}

function Nodes({ nodes }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Nodes">
    <table>
      <thead>
        <tr>
          <th scope="col">Node</th>
          <th scope="col" class="number">Patterns</th>
          <th scope="col" class="number">Symbols</th>
          <th scope="col" class="number">In memory</th>
          <th scope="col" class="number roomy">Changes</th>
          <th scope="col">Last change</th>
          <th scope="col" class="roomy">Learned, last minute</th>
        </tr>
      </thead>
      <tbody>
        ${nodes.map((node) => {
          const learned = perSecond("pattern.learned", node.node_id);
          return html`<tr key=${node.node_id}>
            <th scope="row"><a href=${link("node", node.node_id)}><bdi class="name">${node.node_id}</bdi></a></th>
            <td class="number">${count(node.patterns)}</td>
            <td class="number">${count(node.symbols)}</td>
            <td class="number">${bytes(node.size_bytes)}</td>
            <td class="number roomy">${count(node.sequence)}</td>
            <td title=${moment(node.changed_at)}>${ago(node.changed_at)}</td>
            <td class="roomy"><${Sparkline} values=${learned} label="${plural(sum(learned), "pattern")} learned" /></td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/** What somebody does first, who has never been here. */
function FirstSteps() {
  return html`<${Nothing}>Nothing has been learned yet.<//>
    <ol class="steps">
      <li>
        <a href=${link("session")}>Make a session</a> with a node: a node is a memory with a name of your choice, a session one
        conversation with it.
      </li>
      <li>Type what happens, one event a line, and <em>Observe</em>; then <em>Learn</em>, and it is a pattern. Do so for a few.</li>
      <li>
        Observe only the beginning of one of them. What was learned answers: what may come next, what is missing, and behind${" "}
        <em>why?</em> every number it rests on.
      </li>
      <li>What was learned wrong can be forgotten, and every change undone.</li>
    </ol>`;
}

export function Overview() {
  useTick(1000);
  const [after, setAfter] = useState([]);
  const from = after.at(-1) ?? "";
  const nodes = useAsked((signal) => get("/nodes", { limit: PAGE, after: from }, signal), [from]);
  const about = useAsked(
    async (signal) => ({
      health: await get("/health", {}, signal),
      sessions: await get("/sessions/count", {}, signal),
    }),
    [],
  );
  useLive((event) => CHANGES.test(event.event_type), nodes.again, [nodes.again]);
  useLive((event) => /^(session\.(created|destroyed)|heartbeat)$/.test(event.event_type), about.again, [about.again]);
  const list = nodes.value?.nodes ?? [];
  return html`<h1>Overview</h1>
    <${Trouble} error=${about.error} again=${about.again} />
    <${Facts}
      ...${about.value ?? {}}
      learned=${perSecond("pattern.learned")}
      changed=${perSecond("session.updated")}
    />
    <h2>Nodes</h2>
    <${Trouble} error=${nodes.error} again=${nodes.again} />
    ${nodes.value && list.length === 0 && after.length === 0
      ? html`<${FirstSteps} />`
      : html`<${Nodes} nodes=${list} />`}
    <div class="paging">
      ${after.length > 0 && html`<button type="button" onClick=${() => setAfter(after.slice(0, -1))}>Previous nodes</button>`}
      ${nodes.value?.has_more &&
      html`<button type="button" onClick=${() => setAfter([...after, list.at(-1).node_id])}>More nodes</button>`}
    </div>`;
}
