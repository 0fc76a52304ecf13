/** One node: what it has learned, seen from several sides. */

import { html, useEffect } from "../vendor/htm/standalone.module.js";
import { get, path } from "../api.js";
import { bytes, count } from "../format.js";
import { useAsked, useLive } from "../hooks.js";
import { changesNode } from "../live.js";
import { NodeHistory } from "../parts/history.js";
import { Trouble } from "../parts/notice.js";
import { last, link } from "../route.js";
import { PatternScreen } from "./pattern.js";
import { Patterns } from "./patterns.js";
import { Symbols } from "./symbols.js";
import { Vectors } from "./vectors.js";

const VIEWS = {
  patterns: { title: "Patterns", view: Patterns },
  symbols: { title: "Symbols", view: Symbols },
  vectors: { title: "Vectors", view: Vectors },
  history: { title: "History", view: NodeHistory },
};

export function NodeScreen({ id, view, pattern }) {
  useEffect(() => {
    if (id) last.set("node", id);
  }, [id]);
  if (!id) {
    return html`<h1>Node</h1>
      <p class="lead">Choose one in the <a href=${link()}>overview</a>.</p>`;
  }
  if (view === "pattern" && pattern) return html`<${PatternScreen} key=${id + pattern} node=${id} name=${pattern} />`;
  return html`<${Node} key=${id} id=${id} chosen=${VIEWS[view] ? view : "patterns"} />`;
}

function Node({ id, chosen }) {
  const about = useAsked((signal) => get(path`/nodes/${id}`, {}, signal), [id]);
  useLive(changesNode(id), about.again, [about.again]);
  const { value: node } = about;
  const View = VIEWS[chosen].view;
  return html`<div class="title">
      <h1><span class="quiet">Node</span> <bdi class="name">${id}</bdi></h1>
      <p><a href=${link("hierarchy", id)}>Hierarchy</a></p>
    </div>
    <${Trouble} error=${about.error} again=${about.again} />
    <dl class="facts">
      <div><dt>Patterns</dt><dd>${count(node?.patterns)}</dd></div>
      <div><dt>Symbols</dt><dd>${count(node?.symbols)}</dd></div>
      <div><dt>Vectors</dt><dd>${count(node?.vectors)}</dd></div>
      <div><dt>Learned in all</dt><dd>${count(node?.frequency)}</dd></div>
      <div><dt>In memory</dt><dd>${bytes(node?.size_bytes)}</dd></div>
    </dl>
    <nav class="views" aria-label="Views of the node">
      ${Object.entries(VIEWS).map(
        ([name, each]) =>
          html`<a href=${link("node", id, name)} aria-current=${name === chosen ? "page" : undefined}>${each.title}</a>`,
      )}
    </nav>
    <${View} node=${id} />`;
}
