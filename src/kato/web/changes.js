/** Changing what a node has learned, and taking it back. */

import { get, patch, path, post, remove } from "./api.js";
import { plural, short } from "./format.js";
import { announce } from "./live.js";

/**
 * What takes back the newest change of a pattern, made just now; undefined where the history does not show it.
 *
 * It takes back that change and no other: where the node has changed since, it is refused.
 */
export async function takingBack(node, pattern) {
  const history = await get(path`/nodes/${node}/history`, { pattern, limit: 1 });
  const newest = history.entries[0];
  if (!newest || newest.sequence !== history.head) return undefined;
  return async () => {
    try {
      await post(path`/nodes/${node}/undo`, { count: 1, expected_head: newest.sequence });
    } catch (refused) {
      if (refused.code !== "HEAD_CHANGED") throw refused;
      throw new Error("The node has changed since. Its history can go back further.");
    }
    announce(node);
    return `Taken back. Pattern ${short(pattern)} is what it was before.`;
  };
}

/** Forget a pattern. Returns [sentence, what takes it back]. */
export async function forget(node, pattern) {
  await remove(path`/pattern/${pattern}`, { node_id: node });
  return [`Forgot pattern ${short(pattern)}.`, await takingBack(node, pattern)];
}

/** Edit a pattern. Returns [sentence, what takes it back]. */
export async function edit(node, pattern, members) {
  await patch(path`/pattern/${pattern}`, members, { node_id: node });
  announce(node);
  return [`Changed pattern ${short(pattern)}.`, await takingBack(node, pattern)];
}

/** Go back to how the node was after a sequence of its log, if `head` is still the newest. Returns a sentence. */
export async function goBack(node, to, head) {
  const done = await post(path`/nodes/${node}/undo`, { to, expected_head: head });
  announce(node);
  return `Took back ${plural(done.count, "change")}: ${plural(done.restored_count, "pattern")} restored.`;
}
