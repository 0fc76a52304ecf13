/** Points by two numbers. The same numbers stand in a table below, for whoever would rather read them. */

import { html } from "../vendor/htm/standalone.module.js";
import { number } from "../format.js";

const WIDTH = 560;
const HEIGHT = 320;
const LEFT = 64;
const BOTTOM = 44;
const EDGE = 12;

/** From somewhat below the lowest to somewhat above the highest. */
function span(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const edge = low < high ? (high - low) * 0.04 : 0.5;
  return [low - edge, high + edge];
}

/** `points`: { x, y, title }; `x`, `y`: what the axes are called. */
export function Scatter({ points, x, y }) {
  if (points.length === 0) return null;
  const [left, right] = span(points.map((each) => each.x));
  const [low, high] = span(points.map((each) => each.y));
  const across = (value) => LEFT + ((value - left) / (right - left)) * (WIDTH - LEFT - EDGE);
  const up = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - BOTTOM - EDGE);
  return html`<svg class="scatter" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${y} by ${x} of ${points.length} predictions">
      <path class="axis" d="M${LEFT} ${EDGE} V${HEIGHT - BOTTOM} H${WIDTH - EDGE}" />
      <text x=${LEFT} y=${HEIGHT - BOTTOM + 18}>${number(left)}</text>
      <text x=${WIDTH - EDGE} y=${HEIGHT - BOTTOM + 18} text-anchor="end">${number(right)}</text>
      <text x=${(LEFT + WIDTH) / 2} y=${HEIGHT - 6} text-anchor="middle">${x}</text>
      <text x=${LEFT - 8} y=${HEIGHT - BOTTOM} text-anchor="end">${number(low)}</text>
      <text x=${LEFT - 8} y=${EDGE + 10} text-anchor="end">${number(high)}</text>
      <text transform="translate(14 ${(HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${y}</text>
      ${points.map(
        (each) => html`<circle cx=${across(each.x)} cy=${up(each.y)} r="4.5"><title>${each.title}: ${number(each.x)}, ${number(each.y)}</title></circle>`,
      )}
    </svg>
    <details>
      <summary>The same as a table</summary>
      <table class="tight">
        <thead>
          <tr><th scope="col">Pattern</th><th scope="col" class="number">${x}</th><th scope="col" class="number">${y}</th></tr>
        </thead>
        <tbody>
          ${points.map(
            (each) => html`<tr>
              <th scope="row"><code>${each.title}</code></th>
              <td class="number">${number(each.x)}</td>
              <td class="number">${number(each.y)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
}
