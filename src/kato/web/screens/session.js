/** One session: what it observed, and what is predicted from it. */

import { html, useEffect, useState } from "../vendor/htm/standalone.module.js";
import { get, path, post, put } from "../api.js";
import { takingBack } from "../changes.js";
import { plural, short, shortSession } from "../format.js";
import { useAsked, useLive, useSettled } from "../hooks.js";
import { changesNode } from "../live.js";
import { Forecast } from "../parts/forecast.js";
import { Memory } from "../parts/memory.js";
import { hush, say, Trouble } from "../parts/notice.js";
import { Observe } from "../parts/observe.js";
import { Predictions } from "../parts/predictions.js";
import { Tuning } from "../parts/tuning.js";
import { last, link } from "../route.js";
import { Sessions } from "./sessions.js";

export function SessionScreen({ id }) {
  return id ? html`<${Session} key=${id} id=${id} />` : html`<${Sessions} />`;
}

const KNOWS = ["recall_threshold", "rank_sort_algo", "max_predictions"];

function Session({ id }) {
  const about = useAsked((signal) => get(path`/sessions/${id}`, {}, signal), [id]);
  const mind = useAsked(
    async (signal) => {
      const [memory, answer] = await Promise.all(
        ["stm", "predictions"].map((what) => get(path`/sessions/${id}/` + what, {}, signal)),
      );
      return { stm: memory.stm, answer };
    },
    [id],
  );
  const [wanted, setWanted] = useState({});
  const settled = useSettled(wanted, 120);
  const node = about.value?.node_id;
  useEffect(() => {
    if (about.value) last.set("session", id);
    else if (about.error?.status === 404) last.set("session", "");
  }, [about.value, about.error]);
  useEffect(() => {
    if (Object.keys(settled).length === 0) return;
    put(path`/sessions/${id}/config`, settled).then(mind.again, (error) => say(error.message));
  }, [settled]);
  useLive(
    (event) => (event.event_type === "session.updated" && event.data.session_id === id) || changesNode(node)(event),
    mind.again,
    [id, node],
  );
  if (about.error) {
    return html`<h1>Session</h1>
      <${Trouble} error=${about.error} again=${about.error.status === 404 ? null : about.again} />
      <p><a href=${link("session")}>Choose another session</a></p>`;
  }
  if (!about.value) return html`<h1>Session</h1>`;
  const stm = mind.value?.stm ?? [];
  const config = { ...Object.fromEntries(KNOWS.map((name) => [name, about.value.config[name]])), ...wanted };
  const learn = async () => {
    const answer = await post(path`/sessions/${id}/learn`);
    if (answer.status === "learned") {
      const sentence = `Learned ${plural(answer.length, "event")} as pattern ${short(answer.pattern_name)}; known ${plural(answer.frequency, "time")} now.`;
      say(sentence, await takingBack(node, answer.pattern_name));
    } else {
      say(answer.message);
    }
    await mind.again();
  };
  const clear = async () => {
    await post(path`/sessions/${id}/clear-stm`);
    await mind.again();
  };
  const observe = async (observations) => {
    hush(true);
    const sequence = observations.length > 1;
    const where = sequence ? path`/sessions/${id}/observe-sequence` : path`/sessions/${id}/observe`;
    await post(where, sequence ? { observations } : observations[0]);
    await mind.again();
  };
  return html`<div class="title">
      <h1>Session <span class="quiet">${shortSession(id)}</span></h1>
      <p>in node <a href=${link("node", node)}><bdi class="name">${node}</bdi></a> · <a href=${link("ensemble", id)}>ensemble</a> · <a href=${link("session")}>another session</a></p>
    </div>
    <${Memory} stm=${stm} learn=${learn} clear=${clear} />
    <div class="pair">
      <${Observe} observe=${observe} />
      <${Tuning} config=${config} change=${(part) => setWanted((before) => ({ ...before, ...part }))} />
    </div>
    <${Trouble} error=${mind.error} again=${mind.again} />
    <${Predictions} stm=${stm} answer=${mind.value?.answer} metric=${config.rank_sort_algo} config=${{ ...about.value.config, ...settled }} />
    ${stm.length > 0 && html`<${Forecast} session=${id} node=${node} />`}`;
}
