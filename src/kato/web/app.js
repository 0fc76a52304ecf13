/** The page: its head, and the screen that the address names. */

import { html, render, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { connect, watchState } from "./live.js";
import { KeyButton } from "./parts/key.js";
import { hush, News } from "./parts/notice.js";
import { last, link, useRoute } from "./route.js";
import { Ensemble } from "./screens/ensemble.js";
import { Hierarchy } from "./screens/hierarchy.js";
import { NodeScreen } from "./screens/node.js";
import { Operations } from "./screens/operations.js";
import { Overview } from "./screens/overview.js";
import { SessionScreen } from "./screens/session.js";

const STATES = { connecting: "Connecting…", live: "Live", lost: "Not connected" };

function Connection() {
  const [state, setState] = useState("connecting");
  useEffect(() => watchState(setState), []);
  return html`<span class="connection ${state}" role="status">${STATES[state]}</span>`;
}

/** The address of a screen for the node or session looked at last. */
const toLast = (screen, what) => () => (last.get(what) ? link(screen, last.get(what)) : link(screen));

const SCREENS = [
  { name: "", title: "Overview", view: () => html`<${Overview} />`, to: () => link() },
  {
    name: "node",
    title: "Node",
    view: ([id, view, pattern]) => html`<${NodeScreen} id=${id ?? ""} view=${view ?? ""} pattern=${pattern} />`,
    to: toLast("node", "node"),
  },
  {
    name: "session",
    title: "Session",
    view: ([id]) => html`<${SessionScreen} id=${id ?? ""} />`,
    to: toLast("session", "session"),
  },
  {
    name: "ensemble",
    title: "Ensemble",
    view: ([id]) => html`<${Ensemble} id=${id ?? ""} />`,
    to: toLast("ensemble", "session"),
  },
  {
    name: "hierarchy",
    title: "Hierarchy",
    view: ([id]) => html`<${Hierarchy} id=${id ?? ""} />`,
    to: toLast("hierarchy", "node"),
  },
  { name: "operations", title: "Operations", view: () => html`<${Operations} />`, to: () => link("operations") },
];

function Page() {
  const [name = "", ...rest] = useRoute();
  const [keys, setKeys] = useState(0);
  const main = useRef(null);
  const arrived = useRef(false);
  const screen = SCREENS.find((each) => each.name === name) ?? SCREENS[0];
  useEffect(() => {
    document.title = `${screen.title} · KATO`;
    // Whoever goes to another screen by keyboard or screen reader begins at its top.
    if (arrived.current) main.current.focus();
    arrived.current = true;
    hush();
  }, [screen]);
  const keyChanged = () => {
    setKeys((before) => before + 1);
    connect();
  };
  return html`<a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), main.current.focus())}>To the content</a>
    <header class="top">
      <a class="mark" href=${link()}>KATO</a>
      <nav aria-label="Screens">
        ${SCREENS.map(
          (each) => html`<a href=${each.to()} aria-current=${each === screen ? "page" : undefined}>${each.title}</a>`,
        )}
      </nav>
      <span class="state"><${Connection} /><${KeyButton} changed=${keyChanged} /></span>
    </header>
    <main id="main" tabindex="-1" ref=${main} key=${keys}>${screen.view(rest)}</main>
    <${News} />`;
}

connect();
const place = document.getElementById("page");
place.replaceChildren();
render(html`<${Page} />`, place);
