/** The place to type an API key. It is kept for this tab only. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { key } from "../api.js";
import { Dialog } from "./notice.js";

export function KeyButton({ changed }) {
  const [open, setOpen] = useState(false);
  const [value, setValue] = useState(key.get());
  const act = async () => {
    key.set(value.trim());
    changed();
  };
  return html`<button type="button" class="plain" onClick=${() => setOpen(true)}>${key.get() ? "Key set" : "Key"}</button>
    ${open &&
    html`<${Dialog} title="API key" action="Use this key" act=${act} close=${() => setOpen(false)}>
      <p>A server that asks for keys wants one with every request. It is kept until this tab is closed. Leave it empty to use none.</p>
      <label for="api-key">Key</label>
      <input id="api-key" type="password" autocomplete="off" value=${value} onInput=${(event) => setValue(event.target.value)} />
    <//>`}`;
}
