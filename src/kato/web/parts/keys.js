/** API keys: what there are, making one, revoking one. For administrators. */

import { html, useState } from "../vendor/htm/standalone.module.js";
import { get, path, post, remove } from "../api.js";
import { ago, moment } from "../format.js";
import { useAsked } from "../hooks.js";
import { Dialog, Nothing, say, spoken, Trouble } from "./notice.js";

const MAY = { read: "read and predict", write: "also observe and learn", admin: "everything" };

/** How a key is called where it is spoken of. */
const called = (key) => (key.name ? `“${key.name}”` : key.id);

export function Keys() {
  const found = useAsked((signal) => get("/keys", {}, signal), []);
  const [dialog, setDialog] = useState(null);
  const [made, setMade] = useState(null);
  const { status, reason, keys = [] } = found.value ?? {};
  const close = () => setDialog(null);
  const create = async (members) => {
    setMade(await post("/keys", members));
    await found.again();
  };
  const revoke = async () => {
    await remove(path`/keys/${dialog.id}`);
    await found.again();
    say(`Revoked key ${called(dialog)}. It lets nobody in from now on.`);
  };
  return html`<h2 id="keys">Keys</h2>
    <${Trouble} error=${found.error} again=${found.again} />
    ${status === "disabled" && html`<${Nothing}>${spoken(reason)}.<//>`}
    ${status === "active" &&
    html`<div class="actions"><button type="button" onClick=${() => setDialog("new")}>New key…</button></div>
      ${made && html`<${Made} made=${made} done=${() => setMade(null)} />`} <${Table} keys=${keys} revoke=${setDialog} />`}
    ${dialog === "new" && html`<${NewKey} act=${create} close=${close} />`}
    ${dialog?.id &&
    html`<${Dialog} title="Revoke this key?" action="Revoke" danger act=${revoke} close=${close}>
      <p>
        Key <bdi>${called(dialog)}</bdi> (${dialog.scope}) lets nobody in from the next request on, and what watches with it is
        cut off. This cannot be taken back: whoever needs one again gets a new one. Its sessions stay for administrators.
      </p>
    <//>`}`;
}

/** The key itself, which nobody can see again. */
function Made({ made, done }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(made.key);
    setCopied(true);
  };
  return html`<div class="panel made" role="status">
    <p><strong>The new key ${called(made)}.</strong> It is shown this once; keep it now, it is stored nowhere.</p>
    <code class="secret">${made.key ?? "It was shown before."}</code>
    <div class="actions">
      ${navigator.clipboard && html`<button type="button" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>`}
      <button type="button" class="primary" onClick=${done}>I have kept it</button>
    </div>
  </div>`;
}

function NewKey({ act, close }) {
  const [now, setNow] = useState({ name: "", scope: "write", prefixes: "" });
  const change = (name) => (event) => setNow({ ...now, [name]: event.target.value });
  const send = () => {
    const prefixes = now.prefixes.split("\n").filter((each) => each !== "");
    return act({ name: now.name, scope: now.scope, ...(prefixes.length > 0 ? { prefixes } : {}) });
  };
  return html`<${Dialog} title="New key" action="Make it" act=${send} close=${close}>
    <label for="key-name">Name: what it is for, or whose it is</label>
    <input id="key-name" maxlength="100" autocomplete="off" value=${now.name} onInput=${change("name")} />
    <label for="key-scope">It may</label>
    <select id="key-scope" value=${now.scope} onChange=${change("scope")}>
      ${Object.entries(MAY).map(([scope, may]) => html`<option value=${scope}>${scope}: ${may}</option>`)}
    </select>
    <label for="key-prefixes">Nodes it may touch: beginnings of their names, one a line; empty: as many as your own key</label>
    <textarea id="key-prefixes" rows="3" placeholder="shop/" value=${now.prefixes} onInput=${change("prefixes")}></textarea>
  <//>`;
}

function Table({ keys, revoke }) {
  const by = (id) => (id ? html`<div class="quiet">by <code>${id}</code></div>` : null);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Keys, oldest first">
    <table>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Scope</th>
          <th scope="col">Nodes</th>
          <th scope="col">Made</th>
          <th scope="col">Last used</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        ${keys.map(
          (key) => html`<tr key=${key.id}>
            <th scope="row"><bdi>${key.name || "without a name"}</bdi><div class="quiet"><code>${key.id}</code></div></th>
            <td>${key.scope}</td>
            <td>${key.prefixes.length === 0 ? "all" : key.prefixes.map((each) => html`<div><code>${each}…</code></div>`)}</td>
            <td title=${moment(key.created_at)}>${ago(key.created_at)}${by(key.created_by)}</td>
            <td title=${moment(key.last_used_at)}>${key.last_used_at ? ago(key.last_used_at) : "never"}</td>
            <td title=${moment(key.revoked_at)}>
              ${key.revoked_at && html`revoked ${ago(key.revoked_at)}${by(key.revoked_by)}`}
              ${key.is_own && "the one you use"}
              ${!key.revoked_at &&
              !key.is_own &&
              html`<button type="button" onClick=${() => revoke(key)} aria-label="Revoke key ${called(key)}…">Revoke…</button>`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
