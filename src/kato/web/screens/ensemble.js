/** What the predictions of a session say together: what comes next, how their numbers relate, how they feel. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { count, number, plural, short, shortSession } from "../format.js";
import { useAsked, useLive } from "../hooks.js";
import { changesNode } from "../live.js";
import { Bar } from "../parts/charts.js";
import { Forecast } from "../parts/forecast.js";
import { Nothing, Trouble } from "../parts/notice.js";
import { Scatter } from "../parts/scatter.js";
import { Sequence, shown } from "../parts/sequence.js";
import { titled } from "../parts/tuning.js";
import { link } from "../route.js";

const MOST = 20;

export function Ensemble({ id }) {
  if (!id) {
    return html`<h1>Ensemble</h1>
      <p class="lead">
        The predictions of a session, taken together. Choose a <a href=${link("session")}>session</a> first.
      </p>`;
  }
  return html`<${Together} key=${id} id=${id} />`;
}

function Together({ id }) {
  const found = useAsked((signal) => get(path`/sessions/${id}/predictions`, {}, signal), [id]);
  const answer = found.value;
  const node = answer?.node_id;
  useLive(
    (event) => (event.event_type === "session.updated" && event.data.session_id === id) || changesNode(node)(event),
    found.again,
    [id, node, found.again],
  );
  return html`<div class="title">
      <h1>Ensemble <span class="quiet">of session ${shortSession(id)}</span></h1>
      <p><a href=${link("session", id)}>back to the session</a></p>
    </div>
    <${Trouble} error=${found.error} again=${found.error?.status === 404 ? null : found.again} />
    ${answer && answer.predictions.length === 0
      ? html`<${Nothing}>Nothing is predicted from what this session holds.<//>`
      : answer &&
        html`<${Next} potentials=${answer.future_potentials} />
          <${Forecast} session=${id} node=${node} />
          <${Symbols} potentials=${answer.symbol_potentials} />
          <${Relations} predictions=${answer.predictions} />
          <${Feelings} predictions=${answer.predictions} />`}`;
}

function Next({ potentials }) {
  const total = potentials.reduce((sum, each) => sum + each.aggregate_potential, 0);
  const share = (each) => (total > 0 ? each.aggregate_potential / total : 0);
  return html`<section aria-labelledby="next">
    <h2 id="next">What comes next <span class="quiet">${plural(potentials.length, "future")}</span></h2>
    ${potentials.length === 0
      ? html`<${Nothing}>What matches ends here: no pattern goes on.<//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Futures, likeliest first">
          <table>
            <thead>
              <tr>
                <th scope="col">Future</th>
                <th scope="col">Share of the potential</th>
                <th scope="col" class="number roomy">Potential</th>
                <th scope="col" class="number">Patterns</th>
              </tr>
            </thead>
            <tbody>
              ${potentials.slice(0, MOST).map(
                (each) => html`<tr key=${JSON.stringify(each.future)}>
                  <td><${Sequence} events=${each.future} most=${8} /></td>
                  <td class="share"><${Bar} share=${share(each)} />${number(share(each) * 100)} %</td>
                  <td class="number roomy">${number(each.aggregate_potential)}</td>
                  <td class="number">${count(each.supporting_patterns)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    ${potentials.length > MOST && html`<p class="help">The ${MOST} with the highest potential are shown.</p>`}
  </section>`;
}

function Symbols({ potentials }) {
  const largest = Math.max(...potentials.map((each) => each.total_potential), Number.MIN_VALUE);
  if (potentials.length === 0) return null;
  return html`<section aria-labelledby="symbols">
    <h2 id="symbols">Symbols to come <span class="quiet">${count(potentials.length)}</span></h2>
    <ul class="potentials">
      ${potentials.slice(0, MOST).map(
        (each) => html`<li key=${each.symbol}>
          <bdi class="symbol">${shown(each.symbol)}</bdi>
          <span><${Bar} share=${each.total_potential / largest} />${number(each.total_potential)}</span>
          <span class="quiet">${plural(each.prediction_count, "prediction")}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

function Relations({ predictions }) {
  const names = Object.keys(predictions[0].metrics).filter((name) => predictions.some((each) => each.metrics[name] !== null));
  const [axes, setAxes] = useState({ x: "similarity", y: "potential" });
  const choose = (axis, title) => html`<label for="axis-${axis}">${title}</label>
    <select id="axis-${axis}" onChange=${(event) => setAxes({ ...axes, [axis]: event.target.value })}>
      ${names.map((name) => html`<option value=${name} selected=${name === axes[axis]}>${titled(name)}</option>`)}
    </select>`;
  const points = predictions
    .map((each) => ({ x: each.metrics[axes.x], y: each.metrics[axes.y], title: short(each.name) }))
    .filter((each) => each.x !== null && each.y !== null);
  return html`<section aria-labelledby="relations">
    <h2 id="relations">How the numbers relate</h2>
    <div class="inline">${choose("x", "Across")} ${choose("y", "Up")}</div>
    <${Scatter} points=${points} x=${titled(axes.x)} y=${titled(axes.y)} />
  </section>`;
}

function Feelings({ predictions }) {
  const found = new Map();
  for (const each of predictions) {
    for (const [name, value] of Object.entries(each.emotives)) {
      found.set(name, [...(found.get(name) ?? []), { value, weight: Math.max(0, each.potential) }]);
    }
  }
  const rows = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  const weighted = (felt) => {
    const weight = felt.reduce((sum, each) => sum + each.weight, 0);
    return weight > 0 ? felt.reduce((sum, each) => sum + each.value * each.weight, 0) / weight : null;
  };
  return html`<section aria-labelledby="feelings">
    <h2 id="feelings">Emotives of the predictions</h2>
    ${rows.length === 0
      ? html`<${Nothing}>None of the predicted patterns carries any.<//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Emotives, as a table"><table>
          <thead>
            <tr>
              <th scope="col">Emotive</th>
              <th scope="col" class="number">Least</th>
              <th scope="col" class="number">Mean by potential</th>
              <th scope="col" class="number">Most</th>
              <th scope="col" class="number roomy">Predictions</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ([name, felt]) => html`<tr key=${name}>
                <th scope="row"><bdi class="name">${name}</bdi></th>
                <td class="number">${number(Math.min(...felt.map((each) => each.value)))}</td>
                <td class="number">${number(weighted(felt))}</td>
                <td class="number">${number(Math.max(...felt.map((each) => each.value)))}</td>
                <td class="number roomy">${count(felt.length)}</td>
              </tr>`,
            )}
          </tbody>
        </table></div>`}
  </section>`;
}
