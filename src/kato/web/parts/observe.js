/** Observing by typing: a line is an event, many pasted lines are as many events. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { plural } from "../format.js";
import { emotivesOf, eventsOf } from "../typing.js";
import { Trouble } from "./notice.js";

export function Observe({ observe }) {
  const [text, setText] = useState("");
  const [emotives, setEmotives] = useState("");
  const [error, setError] = useState(null);
  const lines = text.split(/\r?\n/).filter((line) => line.trim()).length;
  const submit = async (event) => {
    event?.preventDefault();
    try {
      const felt = emotivesOf(emotives);
      const observations = eventsOf(text).map((strings) => ({ strings }));
      if (observations.length === 0) return;
      if (Object.keys(felt).length > 0) observations.at(-1).emotives = felt;
      await observe(observations);
      setText("");
      setEmotives("");
      setError(null);
    } catch (refused) {
      setError(refused);
    }
  };
  const pressed = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return html`<form class="observe panel" onSubmit=${submit}>
    <h2><label for="observe-text">Observe</label></h2>
    <textarea
      id="observe-text"
      rows="3"
      spellcheck="false"
      autocapitalize="off"
      placeholder="kettle morning"
      aria-describedby="observe-help"
      value=${text}
      onInput=${(event) => setText(event.target.value)}
      onKeyDown=${pressed}
    ></textarea>
    <p id="observe-help" class="help">
      One line is one event, its symbols apart by blanks; “two words” in straight quotes are one symbol. Enter observes,
      Shift+Enter begins another line.
    </p>
    <details>
      <summary>With emotives</summary>
      <label for="observe-emotives">Emotives of the last event</label>
      <input
        id="observe-emotives"
        autocomplete="off"
        placeholder="joy=0.5 calm=-1"
        value=${emotives}
        onInput=${(event) => setEmotives(event.target.value)}
      />
    </details>
    <${Trouble} error=${error} />
    <div class="actions">
      <button type="submit" class="primary" disabled=${lines === 0}>${lines > 1 ? `Observe ${plural(lines, "event")}` : "Observe"}</button>
    </div>
  </form>`;
}
