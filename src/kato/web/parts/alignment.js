/** How a pattern lies on the short-term memory: which of its events stands under which event of the memory. */

/**
 * A prediction laid out in the columns of a memory.
 *
 * What matched is what is left of the memory without the extras, and of the present without what is missing; the two have
 * the same length and the same order, so the n-th of one was aligned with the n-th of the other. An event of the pattern
 * stands where its first match stands, one without a match where the event before it stands.
 *
 * Returns { past, columns, future }: lists of events; `columns` has for every event of the memory { events, extras }.
 * Each symbol is { symbol, kind, note }.
 */
export function layOut(stm, prediction) {
  const columns = stm.map((_, at) => ({ events: [], extras: extra(prediction.extras[at] ?? []) }));
  const observed = stm.flatMap((symbols, at) =>
    without(symbols, prediction.extras[at] ?? []).map((symbol) => ({ symbol, at })),
  );
  let next = 0;
  let at = observed[0]?.at ?? 0;
  prediction.present.forEach((symbols, position) => {
    const missing = [...(prediction.missing[position] ?? [])];
    let placed = false;
    const marked = symbols.map((symbol) => {
      const gone = missing.indexOf(symbol);
      if (gone >= 0) {
        missing.splice(gone, 1);
        return { symbol, kind: "missing" };
      }
      const match = observed[next++];
      if (!placed && match) {
        at = match.at;
        placed = true;
      }
      return match && match.symbol !== symbol
        ? { symbol, kind: "fuzzy", note: `observed as ${match.symbol.slice(0, 100)}` }
        : { symbol, kind: "match" };
    });
    columns[at]?.events.push(marked);
  });
  return { past: prediction.past, columns, future: prediction.future };
}

function without(symbols, gone) {
  const rest = [...gone];
  return symbols.filter((symbol) => {
    const at = rest.indexOf(symbol);
    if (at < 0) return true;
    rest.splice(at, 1);
    return false;
  });
}

const extra = (symbols) => symbols.map((symbol) => ({ symbol, kind: "extra" }));
