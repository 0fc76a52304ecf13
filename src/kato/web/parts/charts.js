/** Small pictures of numbers; each says in words what it shows. */

import { html } from "../vendor/htm/standalone.module.js";

/** One bar per value, as high as its share of the largest; `places`: for how many there is room, the newest on the right. */
export function Sparkline({ values, label, places = values.length }) {
  const most = Math.max(...values, 0) || 1;
  const width = 120;
  const step = width / Math.max(places, values.length);
  const from = width - step * values.length;
  return html`<svg class="sparkline" viewBox="0 0 ${width} 24" role="img" aria-label=${label}>
    <line x1="0" x2=${width} y1="23.5" y2="23.5" />
    ${values.map((value, at) =>
      value > 0
        ? html`<rect x=${from + at * step} y=${23 - (22 * value) / most} width=${step * 0.8} height=${(22 * value) / most} />`
        : null,
    )}
  </svg>`;
}

/** A bar from the left, `share` (0…1) of its place. The number beside it is the text. */
export function Bar({ share }) {
  const width = Math.max(0, Math.min(1, share || 0)) * 100;
  return html`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    <rect class="ground" width="100" height="8" />
    <rect width=${width} height="8" />
  </svg>`;
}
