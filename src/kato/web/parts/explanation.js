/** Why a pattern is predicted: what its numbers are made of, why it stands where it stands, where it comes from. */

import { html } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { number, short } from "../format.js";
import { useAsked } from "../hooks.js";
import { link } from "../route.js";
import { Entries } from "./history.js";
import { Trouble } from "./notice.js";
import { Symbol } from "./sequence.js";
import { titled } from "./tuning.js";

const HISTORY = 10;
const KINDS = {
  past: "expected before",
  match: "match",
  fuzzy: "read as",
  extra: "observed, not expected",
  missing: "expected, not observed",
  future: "expected next",
};

function Alignment({ rows }) {
  const symbol = (text, kind) => (text === null ? html`<span class="quiet">–</span>` : html`<${Symbol} symbol=${text} kind=${kind} />`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Symbol by symbol">
    <table class="tight">
      <thead>
        <tr>
          <th scope="col">Observed</th>
          <th scope="col">Expected</th>
          <th scope="col">What it is</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr>
            <td>${symbol(row.observed, row.kind === "extra" ? "extra" : undefined)}</td>
            <td>${symbol(row.expected, { match: "match", fuzzy: "fuzzy", missing: "missing" }[row.kind])}</td>
            <td>
              ${KINDS[row.kind] ?? row.kind}${row.kind === "fuzzy" ? `, likeness ${number(row.likeness)}` : ""}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Beaten({ node, standing, other, word }) {
  return html` ${word} <a href=${link("node", node, "pattern", other.pattern_name)}><code>${short(other.pattern_name)}</code></a>,
    which has ${number(other.value)}${other.decided_by === standing.key ? "" : ` (decided by ${titled(other.decided_by)})`}.`;
}

function Standing({ node, title, standing }) {
  if (!standing) return null;
  return html`<p>
    <strong>${title}:</strong> place ${standing.place} of ${standing.of} by ${titled(standing.key)} ${number(standing.value)}.
    ${standing.above && html`<${Beaten} node=${node} standing=${standing} other=${standing.above} word="Behind" />`}
    ${standing.below && html`<${Beaten} node=${node} standing=${standing} other=${standing.below} word="Ahead of" />`}
  </p>`;
}

/** A number as a tree of what it was made of. */
function Tree({ tree, open }) {
  const line = html`<strong>${number(tree.value)}</strong> <bdi class="quiet">${tree.reason}</bdi>`;
  if (tree.parts.length === 0) return html`<div class="leaf">${line}</div>`;
  return html`<details class="tree" open=${open}>
    <summary>${line}</summary>
    ${tree.parts.map((part, at) => html`<${Tree} key=${at} tree=${part} />`)}
  </details>`;
}

/**
 * The explanation of one prediction of a session. `place`: its place, from 1; `of`: how many there are; `metric`: the number
 * that ranks, shown first; `time`: the session's counter, for what is explained is what it holds now.
 */
export function Explanation({ session, node, name, place, of, metric, time }) {
  const found = useAsked(
    async (signal) => {
      const [answer, history] = await Promise.all([
        get(path`/sessions/${session}/predictions`, { explain: true }, signal),
        get(path`/nodes/${node}/history`, { pattern: name, limit: HISTORY }, signal),
      ]);
      return { explanation: answer.predictions.find((each) => each.name === name)?.explanation, history };
    },
    [session, node, name, time, metric],
  );
  const answer = found.value;
  if (!answer) return html`<div class="explanation"><${Trouble} error=${found.error} again=${found.again} />${found.loading && "…"}</div>`;
  const { explanation, history } = answer;
  if (!explanation) return html`<div class="explanation">It is no longer predicted.</div>`;
  const names = Object.keys(explanation.metrics);
  const ordered = [...names.filter((each) => each === metric), ...names.filter((each) => each !== metric)];
  return html`<div class="explanation">
    <p class="lead">It is prediction ${place} of ${of}, ranked by ${titled(metric)}.</p>
    <div class="pair">
      <section>
        <h3>What its numbers are made of</h3>
        ${ordered.slice(0, 1).map((each) => html`<${Tree} key=${each} tree=${explanation.metrics[each]} open />`)}
        <details>
          <summary>All other numbers</summary>
          ${ordered.slice(1).map((each) => html`<${Tree} key=${each} tree=${explanation.metrics[each]} />`)}
        </details>
      </section>
      <section>
        <${Standing} node=${node} title="Ranking" standing=${explanation.ranking} />
        <${Standing} node=${node} title="Selection" standing=${explanation.selection} />
        ${explanation.alignment && html`<h3>Symbol by symbol</h3><${Alignment} rows=${explanation.alignment} />`}
      </section>
    </div>
    <h3>When it was learned and changed</h3>
    <${Entries} entries=${history.entries} />
    ${history.has_more && html`<p class="help">The newest ${HISTORY} changes are shown.</p>`}
    <p>
      <a href=${link("node", node, "pattern", `PTRN|${name}`)}>Look at this pattern, correct it or forget it</a>
    </p>
  </div>`;
}
