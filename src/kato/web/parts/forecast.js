/** What comes next in a session, how likely, on whose word; and how new the moment is. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { count, number, plural, short } from "../format.js";
import { useAsked, useLive } from "../hooks.js";
import { changesNode } from "../live.js";
import { link } from "../route.js";
import { Bar } from "./charts.js";
import { Nothing, Trouble } from "./notice.js";
import { Event, shown } from "./sequence.js";

const MOST = 8;
const AROUND = 4;

const percent = (share) => `${number(share * 100)} %`;

/** `session`: its id; `node`: its node, once known. Asked again whenever either changes. */
export function Forecast({ session, node }) {
  const where = path`/sessions/${session}/forecast`;
  const found = useAsked((signal) => get(where, { limit: MOST }, signal), [session]);
  const [open, setOpen] = useState(new Set());
  // On whose word is only worked out where somebody wants to know: it takes far longer than the forecast itself.
  const evidence = useAsked(
    async (signal) => (open.size > 0 && found.value ? get(where, { limit: MOST, explain: true }, signal) : null),
    [session, open.size > 0, found.value],
  );
  const voices = new Map(evidence.value?.forecast.map((entry) => [entry.symbol, entry]));
  const toggled = (symbol) => (event) =>
    setOpen((before) => new Set(event.target.open ? [...before, symbol] : [...before].filter((each) => each !== symbol)));
  useLive(
    (event) => (event.event_type === "session.updated" && event.data.session_id === session) || changesNode(node)(event),
    found.again,
    [session, node, found.again],
  );
  const answer = found.value;
  return html`<section aria-labelledby="forecast-title">
    <h2 id="forecast-title">Forecast <span class="quiet">of the next event's symbols</span></h2>
    <${Trouble} error=${found.error} again=${found.again} />
    <${Trouble} error=${evidence.error} again=${evidence.again} />
    ${answer && answer.forecast.length === 0 && html`<${Nothing}>The node has learned nothing yet that could follow.<//>`}
    ${answer &&
    answer.forecast.length > 0 &&
    html`<ol class="forecast">
        ${answer.forecast.map(
          (entry) => html`<li key=${entry.symbol}>
            <${Entry}
              entry=${entry}
              node=${answer.node_id}
              told=${voices.get(entry.symbol)}
              isOpen=${open.has(entry.symbol)}
              toggled=${toggled(entry.symbol)}
            />
          </li>`,
        )}
        <li class="other">
          <span class="line">
            <span>something never learned</span>
            <span><${Bar} share=${answer.unknown} /></span>
            <span class="number">${percent(answer.unknown)}</span>
          </span>
        </li>
      </ol>
      <${About} answer=${answer} />`}
    ${answer && html`<${Novelty} novelty=${answer.novelty} node=${answer.node_id} />`}
  </section>`;
}

/** One symbol: how likely, and unfolded who says so. */
function Entry({ entry, node, told, isOpen, toggled }) {
  return html`<details onToggle=${toggled}>
    <summary class="line">
      <bdi class="symbol">${shown(entry.symbol)}</bdi>
      <span><${Bar} share=${entry.probability} /></span>
      <span class="number">${percent(entry.probability)}</span>
      <span>why?</span>
    </summary>
    ${isOpen && !told && html`<p class="help" role="status">Asking who says so…</p>`}
    ${isOpen &&
    told &&
    html`<p class="help">
        ${percent(told.share)} of the vote. These places in what was learned speak for it, the strongest first:
      </p>
      <ul class="voices">
        ${told.voices.map((voice) => html`<li><${Voice} voice=${voice} node=${node} /></li>`)}
      </ul>
      ${told.other_voices > 0 &&
      html`<p class="help">${plural(told.other_voices, "more place")} add ${percent(told.other_share)} of the vote.</p>`}`}
  </details>`;
}

/** A place in a pattern: what stood before it and was observed now, and what came there. */
function Voice({ voice, node }) {
  const matched = new Map(voice.matched.map((each) => [each.position, each.event]));
  const from = Math.max(0, voice.position - AROUND);
  const before = voice.sequence.slice(from, voice.position).map((event, at) => {
    const found = matched.get(from + at) ?? [];
    return event.map((symbol) => ({ symbol, kind: found.includes(symbol) ? "match" : undefined }));
  });
  return html`<span class="share">${percent(voice.share)}</span>
    <a href=${link("node", node, "pattern", voice.pattern_name)}><code>${short(voice.pattern_name)}</code></a>
    <ol class="sequence">
      ${from > 0 && html`<li class="more">…</li>`}
      ${before.map((symbols) => html`<li><${Event} symbols=${symbols} /></li>`)}
      <li class="next"><span class="unseen">then </span><${Event} symbols=${voice.sequence[voice.position]} /></li>
    </ol>`;
}

/** How far the numbers can be trusted. */
function About({ answer }) {
  const { tested, hit_rate: rate } = answer.profile;
  return html`<p class="help">
    ${tested > 0 && rate !== null
      ? `The node asked itself ${plural(tested, "such question")} about its own patterns and was right at first guess in ${percent(rate)}; the probabilities follow from that.`
      : "The node has not tested its forecasts on its own patterns yet, or knows too few: the percentages are shares of the vote."}
    ${" "}${plural(answer.voters, "pattern")} voted for ${plural(answer.symbols, "symbol")}.
  </p>`;
}

/** How new the moment is, and what is new about it. */
function Novelty({ novelty, node }) {
  const parts = [
    [novelty.symbols, "of the symbols never seen", novelty.unseen_symbols.map(shown)],
    [novelty.transitions, "of the steps never seen", novelty.unseen_transitions.map((pair) => pair.map(shown).join(" → "))],
    [novelty.together, "of the symbols never seen together", []],
    [novelty.unlike, "unlike the most similar pattern", []],
  ];
  const nearest = novelty.nearest?.pattern_name;
  const said =
    novelty.is_novel === null ? "" : novelty.is_novel ? "unlike what was learned" : "much like what was learned";
  return html`<h3>Novelty <strong>${number(novelty.score)}</strong> <span class="quiet">from 0, all known, to 1, all new${said && `: ${said}`}</span></h3>
    <ul class="novelty">
      ${parts.map(
        ([share, what, unseen]) => html`<li>
          <span class="number">${percent(share)}</span> ${what}
          ${unseen.length > 0 && html`: <bdi>${unseen.slice(0, MOST).join(", ")}${unseen.length > MOST ? ` and ${count(unseen.length - MOST)} more` : ""}</bdi>`}
        </li>`,
      )}
    </ul>
    ${nearest && html`<p class="help">The most similar is <a href=${link("node", node, "pattern", nearest)}><code>${short(nearest)}</code></a>.</p>`}`;
}
