/** The short-term memory as a strip of events, and what can be done with it. */

import { html, useEffect, useRef, useState } from "../vendor/htm/standalone.module.js";
import { plural } from "../format.js";
import { Trouble } from "./notice.js";
import { Event } from "./sequence.js";

export function Memory({ stm, learn, clear }) {
  const [error, setError] = useState(null);
  const strip = useRef(null);
  useEffect(() => {
    strip.current.scrollLeft = strip.current.scrollWidth; // the newest event is what one wants to see
    setError(null);
  }, [stm]);
  const doing = (act) => async () => {
    try {
      await act();
    } catch (refused) {
      setError(refused);
    }
  };
  return html`<section class="memory" aria-labelledby="memory-title">
    <div class="title">
      <h2 id="memory-title">Short-term memory <span class="quiet">${plural(stm.length, "event")}</span></h2>
      <span class="actions">
        <button type="button" class="primary" disabled=${stm.length === 0} onClick=${doing(learn)}>Learn</button>
        <button type="button" disabled=${stm.length === 0} onClick=${doing(clear)}>Clear</button>
      </span>
    </div>
    <div class="strip" ref=${strip} tabindex="0" role="region" aria-label="Events held, oldest first">
      ${stm.length === 0
        ? html`<span class="nothing">Empty. Observe something below.</span>`
        : html`<ol class="sequence">
            ${stm.map((symbols) => html`<li><${Event} symbols=${symbols} /></li>`)}
          </ol>`}
    </div>
    <${Trouble} error=${error} />
  </section>`;
}
