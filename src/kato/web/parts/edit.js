/** The dialog that edits a pattern's frequency, emotives and metadata. Its events are what it is, and stay. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { emotivesOf } from "../typing.js";
import { Dialog } from "./notice.js";

const line = (emotives) => Object.entries(emotives).map(([name, value]) => `${name}=${value}`).join(" ");

/** `pattern`: a pattern record; `act(members)` sends what was changed. */
export function EditPattern({ pattern, act, close }) {
  const before = {
    frequency: String(pattern.frequency),
    emotives: pattern.emotives.map(line).join("\n"),
    metadata: JSON.stringify(pattern.metadata, null, 2),
  };
  const [now, setNow] = useState(before);
  const change = (name) => (event) => setNow({ ...now, [name]: event.target.value });
  const send = async () => {
    const members = {};
    if (now.frequency !== before.frequency) members.frequency = Number(now.frequency);
    if (now.emotives !== before.emotives) {
      members.emotives = now.emotives.split("\n").filter((each) => each.trim()).map(emotivesOf);
    }
    if (now.metadata !== before.metadata) members.metadata = readMetadata(now.metadata);
    if (Object.keys(members).length > 0) await act(members);
  };
  return html`<${Dialog} title="Edit pattern" action="Save" act=${send} close=${close}>
    <p class="help">Its events are what it is. Where they are wrong, forget it and learn the right ones.</p>
    <label for="edit-frequency">Frequency: how often it counts as learned</label>
    <input id="edit-frequency" type="number" min="1" step="1" required value=${now.frequency} onInput=${change("frequency")} />
    <label for="edit-emotives">Emotives, oldest first, one learning a line, like joy=0.5 calm=1</label>
    <textarea id="edit-emotives" rows="3" value=${now.emotives} onInput=${change("emotives")}></textarea>
    <label for="edit-metadata">Metadata, as a JSON object</label>
    <textarea id="edit-metadata" rows="5" value=${now.metadata} onInput=${change("metadata")}></textarea>
  <//>`;
}

function readMetadata(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    throw new SyntaxError('The metadata is not JSON, like {"room": ["kitchen"]}.');
  }
}
