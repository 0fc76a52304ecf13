/** Live events from the server's WebSocket, for whoever listens on this page. */

import { key } from "./api.js";

const LONGEST_WAIT = 15_000;
const KEPT_SECONDS = 60;

const listeners = new Set();
const stateListeners = new Set();
const counted = []; // { at: milliseconds, kind, node, count } of the last minute
let socket = null;
let wait = 500;
let state = "connecting";

/** Call `heard(event)` for every event from now on; returns what ends it. */
export function listen(heard) {
  listeners.add(heard);
  return () => listeners.delete(heard);
}

/** The events that say that what a node has learned is another now. */
export const CHANGES = /^(pattern\.(learned|changed|forgotten)|page\.changed)$/;

/** Whether an event says that what a node has learned is another now. */
export const changesNode =
  (node) =>
  ({ event_type: kind, data }) =>
    CHANGES.test(kind) && data.node_id === node;

/** Tell the page's own screens that this page corrected a node, so that they follow at once, connected or not. */
export function announce(node) {
  for (const heard of [...listeners]) heard({ event_type: "page.changed", data: { node_id: node } });
}

/** Call `heard(state)` now and whenever it changes: "connecting", "live" or "lost". */
export function watchState(heard) {
  stateListeners.add(heard);
  heard(state);
  return () => stateListeners.delete(heard);
}

function enter(next) {
  state = next;
  for (const heard of [...stateListeners]) heard(state);
}

function count(event) {
  const now = Date.now();
  const { node_id: node, count: many } = event.data;
  counted.push({ at: now, kind: event.event_type, node, count: many ?? 1 });
  while (counted.length && counted[0].at < now - KEPT_SECONDS * 1000) counted.shift();
}

/**
 * How often something happened, per second of the last minute, oldest first.
 *
 * `kind` is an event type; `node` restricts to one node.
 */
export function perSecond(kind, node) {
  const seconds = new Array(KEPT_SECONDS).fill(0);
  const now = Date.now();
  for (const each of counted) {
    if (each.kind !== kind || (node !== undefined && each.node !== node)) continue;
    const ago = Math.floor((now - each.at) / 1000);
    if (ago < KEPT_SECONDS) seconds[KEPT_SECONDS - 1 - ago] += each.count;
  }
  return seconds;
}

/** Connect, and connect again whenever the connection is lost. Called once, and after the key changed. */
export function connect() {
  if (socket) socket.onclose = null;
  socket?.close();
  const where = new URL("/ws/events", location.href);
  where.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (key.get()) where.searchParams.set("api_key", key.get());
  enter("connecting");
  socket = new WebSocket(where);
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.event_type === "state.snapshot") {
      wait = 500;
      enter("live");
    }
    count(event);
    for (const heard of [...listeners]) heard(event);
  };
  socket.onclose = () => {
    enter("lost");
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };
}
