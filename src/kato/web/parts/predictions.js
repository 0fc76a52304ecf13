/** Predictions as a picture: each a row of past, present and future, its present under the memory it matches. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { count, number, plural, short } from "../format.js";
import { layOut } from "./alignment.js";
import { Bar } from "./charts.js";
import { Explanation } from "./explanation.js";
import { Nothing } from "./notice.js";
import { Event, Sequence } from "./sequence.js";
import { titled } from "./tuning.js";

const FIRST = 20;
const MOST_COLUMNS = 40;

function Row({ prediction, place, stm, from, metric, share, isOpen, toggle }) {
  const { past, columns, future } = layOut(stm, prediction);
  return html`<tr class=${isOpen ? "open" : undefined} onClick=${(event) => !event.target.closest("button") && toggle()}>
    <th scope="row" class="rank">
      <button type="button" class="plain" aria-expanded=${isOpen} aria-label="Prediction ${place}: why?" onClick=${toggle}>
        ${place} <span class="why">why?</span>
      </button>
      <span class="value"><${Bar} share=${share} />${number(prediction[metric])}</span>
      <span class="quiet">${short(prediction.name)} · ${count(prediction.frequency)}×</span>
    </th>
    <td class="past"><${Sequence} events=${past.slice(-4)} /></td>
    ${columns.slice(from).map(
      ({ events, extras }) => html`<td class="present">
        ${events.map((symbols) => html`<${Event} symbols=${symbols} />`)}
        ${extras.length > 0 && html`<${Event} symbols=${extras} />`}
      </td>`,
    )}
    <td class="future"><${Sequence} events=${future} most=${4} /></td>
  </tr>`;
}

/** `answer`: of GET …/predictions for `stm`; `config`: the session's, for explanations. */
export function Predictions({ stm, answer, metric, config }) {
  const [many, setMany] = useState(FIRST);
  const [open, setOpen] = useState("");
  if (!answer) return null;
  const predictions = answer.predictions;
  const from = Math.max(0, stm.length - MOST_COLUMNS);
  const values = predictions.map((each) => Math.abs(each[metric] ?? 0));
  const places = new Map(predictions.map((each, at) => [each.name, at + 1]));
  const largest = Math.max(...values, Number.MIN_VALUE);
  return html`<section aria-labelledby="predictions-title">
    <h2 id="predictions-title">Predictions <span class="quiet">${count(predictions.length)}</span></h2>
    ${predictions.length === 0
      ? html`<${Nothing}>
          ${stm.length === 0
            ? "Nothing is observed, so nothing is predicted. Observe the beginning of something that was learned."
            : "No pattern is similar enough to what was observed. Learn this as one, or lower the recall threshold."}
        <//>`
      : html`<p class="help legend">
            <bdi class="symbol match">matched</bdi> <bdi class="symbol missing">missing: expected, not observed</bdi>
            <bdi class="symbol extra">extra: observed, not expected</bdi>
          </p>
          <div class="scroll" tabindex="0" role="region" aria-label="Predictions, best first">
            <table class="predictions">
              <thead>
                <tr>
                  <th scope="col">${titled(metric)}</th>
                  <th scope="col">Past</th>
                  ${stm.slice(from).map((symbols) => html`<th scope="col"><${Event} symbols=${symbols} /></th>`)}
                  <th scope="col">Future</th>
                </tr>
              </thead>
              <tbody>
                ${predictions.slice(0, many).map((prediction, at) => {
                  const key = prediction.name + JSON.stringify(prediction.sequence);
                  return html`<${Row}
                      key=${key}
                      prediction=${prediction}
                      place=${at + 1}
                      stm=${stm}
                      from=${from}
                      metric=${metric}
                      share=${values[at] / largest}
                      isOpen=${open === key}
                      toggle=${() => setOpen(open === key ? "" : key)}
                    />
                    ${open === key &&
                    html`<tr key="why" class="why">
                      <td colspan=${stm.length - from + 3}>
                        <${Explanation}
                          node=${answer.node_id}
                          stm=${stm}
                          name=${prediction.name}
                          config=${config}
                          metric=${metric}
                          places=${places}
                        />
                      </td>
                    </tr>`}`;
                })}
              </tbody>
            </table>
          </div>
          ${predictions.length > many &&
          html`<button type="button" onClick=${() => setMany(many + 50)}>
            Show ${plural(Math.min(50, predictions.length - many), "more prediction")}
          </button>`}`}
  </section>`;
}
