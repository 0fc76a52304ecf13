/** Why a pattern is predicted: what its numbers are made of, why it stands where it stands, where it comes from. */

import { html } from "../vendor/htm/standalone.module.js";
import { ask, path } from "../api.js";
import { bare, number, short } from "../format.js";
import { useAsked } from "../hooks.js";
import { link } from "../route.js";
import { Entries } from "./history.js";
import { Trouble } from "./notice.js";
import { Symbol } from "./sequence.js";
import { titled } from "./tuning.js";

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

function Beaten({ node, standing, other, word, places }) {
  const place = places.get(bare(other.pattern_name));
  return html` ${word} ${place && `prediction ${place}, `}<a href=${link("node", node, "pattern", other.pattern_name)}><code>${short(other.pattern_name)}</code></a>,
    which has ${number(other.value)}${other.decided_by === standing.key ? "" : ` (decided by ${titled(other.decided_by)})`}.`;
}

function Standing({ node, title, standing, places }) {
  if (!standing) return null;
  return html`<p>
    <strong>${title}:</strong> place ${standing.place} of ${standing.of} by ${titled(standing.key)} ${number(standing.value)}.
    ${standing.above && html`<${Beaten} node=${node} standing=${standing} other=${standing.above} places=${places} word="Behind" />`}
    ${standing.below && html`<${Beaten} node=${node} standing=${standing} other=${standing.below} places=${places} word="Ahead of" />`}
  </p>`;
}

/** A number as a tree of what it was made of. `name`: its own, where the formula does not begin with it. */
function Tree({ tree, open, name }) {
  const isNamed = !name || tree.reason.startsWith(`${name} `);
  const line = html`<strong>${number(tree.value)}</strong> ${!isNamed && html`<span>${name}:</span> `}<bdi class="quiet">${tree.reason}</bdi>`;
  if (tree.parts.length === 0) return html`<div class="leaf">${line}</div>`;
  return html`<details class="tree" open=${open}>
    <summary>${line}</summary>
    ${tree.parts.map((part, at) => html`<${Tree} key=${at} tree=${part} />`)}
  </details>`;
}

/**
 * The explanation of one prediction for a memory. `config`: the session's; `metric`: the number that ranks, shown first;
 * `places`: predictions by bare name, as they are numbered where this is shown.
 */
export function Explanation({ node, stm, name, config, metric, places }) {
  const found = useAsked(
    (signal) => ask("POST", path`/nodes/${node}/explain`, { body: { stm, pattern: name, config }, signal }),
    [node, JSON.stringify(stm), name, JSON.stringify(config)],
  );
  const answer = found.value;
  if (!answer) return html`<div class="explanation"><${Trouble} error=${found.error} again=${found.again} />${found.loading && "…"}</div>`;
  const explanation = answer.prediction?.explanation;
  const names = Object.keys(explanation?.metrics ?? {});
  const ordered = [...names.filter((each) => each === metric), ...names.filter((each) => each !== metric)];
  const tree = (each) => html`<${Tree} key=${each} name=${each} tree=${explanation.metrics[each]} open=${each === metric} />`;
  return html`<div class="explanation">
    <div class="title">
      <p class="lead">${answer.sentence}</p>
      <p><a href=${link("node", node, "pattern", answer.pattern_name)}>Look at this pattern, correct it or forget it</a></p>
    </div>
    ${!explanation && html`<${Checks} checks=${answer.checks} />`}
    <div class="pair">
      <section>
        ${ordered.length > 0 && html`<h3>What its numbers are made of</h3>`} ${ordered.slice(0, 1).map(tree)}
        ${ordered.length > 1 && html`<details><summary>All other numbers</summary>${ordered.slice(1).map(tree)}</details>`}
        <${Standing} node=${node} title="Ranking" standing=${explanation?.ranking} places=${places} />
        <${Standing} node=${node} title="Selection" standing=${answer.selection} places=${places} />
      </section>
      <section>
        <h3>Symbol by symbol</h3>
        <${Alignment} rows=${answer.alignment} />
      </section>
    </div>
    <h3>When it was learned and changed</h3>
    <${Entries} entries=${answer.provenance.entries} />
    ${answer.provenance.has_more && html`<p class="help">The newest changes are shown; the pattern's own page has more.</p>`}
  </div>`;
}

/** What a pattern that is not predicted passed, and what not. */
function Checks({ checks }) {
  return html`<ul class="checks">
    ${checks.map(
      (each) => html`<li class=${each.passed ? "passed" : "failed"}>
        <span class="unseen">${each.passed ? "Passed: " : "Failed: "}</span><bdi>${each.sentence}</bdi>
      </li>`,
    )}
  </ul>`;
}
