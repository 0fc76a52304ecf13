/** What is said to people: errors where they happened, news in one place, questions in a dialog. */

import { html, useEffect, useRef, useState } from "../vendor/htm/standalone.module.js";

/** A sentence as it is read: what stands between backticks is code. */
export function spoken(sentence) {
  return sentence.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));
}

/** A refusal, where it happened; nothing when there is none. */
export function Trouble({ error, again }) {
  if (!error) return null;
  return html`<p class="trouble" role="alert">
    ${spoken(error.message)} ${again ? html`<button type="button" class="plain" onClick=${again}>Try again</button>` : null}
  </p>`;
}

/** What stands where nothing is yet. */
export function Nothing({ children }) {
  return html`<p class="nothing">${children}</p>`;
}

let tell = null;
let quieten = null;

/** Tell what was done. `undo`, if given, takes it back: a promise of the sentence that says so. */
export function say(sentence, undo) {
  tell?.({ sentence, undo });
}

/** Take away what was told, unless it can be taken back and `all` is not given. */
export function hush(all) {
  quieten?.(all);
}

/** The place for news; there is one on the page. */
export function News() {
  const [news, setNews] = useState(null);
  const [error, setError] = useState(null);
  tell = (next) => {
    setError(null);
    setNews(next);
  };
  quieten = (all) => setNews((before) => (before?.undo && !all ? before : null));
  const takeBack = async () => {
    try {
      const sentence = await news.undo();
      setNews({ sentence });
    } catch (refused) {
      setError(refused);
    }
  };
  return html`<div class="news" role="status">
    ${news &&
    html`<div class="card">
      <span>${spoken(error ? error.message : news.sentence)}</span>
      ${news.undo && !error ? html`<button type="button" onClick=${takeBack}>Undo</button>` : null}
      <button type="button" class="plain" onClick=${() => setNews(null)} aria-label="Dismiss this message">✕</button>
    </div>`}
  </div>`;
}

/**
 * A dialog that is open while it is drawn.
 *
 * `act()` gives a promise; the dialog stays, with the reason, when it is refused. `close()` is called at the end.
 */
export function Dialog({ title, action, danger, act, close, children }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => before?.isConnected && before.focus();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await act();
      close();
    } catch (refused) {
      setBusy(false);
      setError(refused);
    }
  };
  return html`<dialog ref=${element} onClose=${close} aria-labelledby="dialog-title">
    <form onSubmit=${submit}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
      <${Trouble} error=${error} />
      <div class="actions">
        <button type="button" onClick=${close}>Cancel</button>
        <button type="submit" class=${danger ? "danger" : "primary"} disabled=${busy}>${action}</button>
      </div>
    </form>
  </dialog>`;
}
