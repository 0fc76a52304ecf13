/** The latest lines of the server's log. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get } from "../api.js";
import { ago, moment, number } from "../format.js";
import { useEvery } from "../hooks.js";
import { Nothing, Trouble } from "./notice.js";

const SHOWN = 50;
const LEVELS = { debug: "everything", warning: "warnings and errors", error: "errors alone" };

/** What a line says besides when, how serious and what. */
function About({ line }) {
  const said = [
    line.route && `${line.method} ${line.route}`,
    line.status,
    line.duration_ms !== null && `${number(line.duration_ms)} ms`,
    line.task,
    line.node_id && `node ${line.node_id}`,
    line.session_id,
    line.key_id,
    line.trace_id,
  ];
  return html`<bdi>${said.filter(Boolean).join(" · ")}</bdi>
    ${line.withheld.length > 0 && html`<div class="quiet">in the log itself also: ${line.withheld.join(", ")}</div>`}`;
}

export function ServerLog() {
  const [level, setLevel] = useState("debug");
  const found = useEvery((signal) => get("/server-log", { limit: SHOWN, level }, signal), [level]);
  const lines = found.value?.lines ?? [];
  return html`<h2>Server's log <span class="quiet">the latest ${SHOWN} lines, without what was observed</span></h2>
    <div class="inline">
      <label for="log-level">Show</label>
      <select id="log-level" value=${level} onChange=${(event) => setLevel(event.target.value)}>
        ${Object.entries(LEVELS).map(([name, title]) => html`<option value=${name}>${title}</option>`)}
      </select>
    </div>
    <${Trouble} error=${found.error} again=${found.again} />
    ${found.value && lines.length === 0
      ? html`<${Nothing}>No such line since the server started. Which lines it writes at all is set by KATO_LOG_LEVEL.<//>`
      : html`<div class="scroll log" tabindex="0" role="region" aria-label="The server's log, newest line first">
          <table class="tight">
            <thead>
              <tr><th scope="col">When</th><th scope="col">Level</th><th scope="col">What</th><th scope="col">About</th></tr>
            </thead>
            <tbody>
              ${lines.map(
                (line, at) => html`<tr key=${`${line.at} ${line.trace_id} ${at}`}>
                  <td title=${moment(line.at)}>${ago(line.at)}</td>
                  <td class=${/error|critical/.test(line.level) ? "failed" : ""}>${line.level}</td>
                  <td>${line.event}</td>
                  <td><${About} line=${line} /></td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}`;
}
