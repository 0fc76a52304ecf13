/** How a session predicts: the settings that one wants to turn and see. */

import { html } from "../vendor/htm/standalone.module.js";

const RANKINGS = `potential similarity evidence confidence snr fragmentation frequency normalized_entropy
  global_normalized_entropy itfdf_similarity confluence predictive_information bayesian_posterior bayesian_prior
  bayesian_likelihood tfidf_score`.split(/\s+/);
/** Those every session can rank by; the weighted ones need an affinity. */

/** What a ranking is called where people read it. */
export const titled = (metric) => metric.replaceAll("_", " ");

export function Tuning({ config, change }) {
  const rankings = RANKINGS.includes(config.rank_sort_algo) ? RANKINGS : [...RANKINGS, config.rank_sort_algo];
  return html`<section class="panel tuning" aria-labelledby="tuning-title">
    <h2 id="tuning-title">How to predict</h2>
    <label for="threshold">Recall threshold <output>${config.recall_threshold.toFixed(2)}</output></label>
    <input
      id="threshold"
      type="range"
      min="0"
      max="1"
      step="0.01"
      value=${config.recall_threshold}
      onInput=${(event) => change({ recall_threshold: Number(event.target.value) })}
    />
    <label for="most">At most <output>${config.max_predictions}</output> predictions</label>
    <input
      id="most"
      type="range"
      min="1"
      max="200"
      value=${Math.min(200, config.max_predictions)}
      onInput=${(event) => change({ max_predictions: Number(event.target.value) })}
    />
    <label for="ranking">Ranked by</label>
    <select id="ranking" value=${config.rank_sort_algo} onChange=${(event) => change({ rank_sort_algo: event.target.value })}>
      ${rankings.map((name) => html`<option value=${name} selected=${name === config.rank_sort_algo}>${titled(name)}</option>`)}
    </select>
  </section>`;
}
