/** Where on the page one is: the part of the address behind `#`. */

import { useEffect, useState } from "./vendor/htm/standalone.module.js";

/** An address on the page out of its segments: link("node", id) is `#/node/…`. */
export function link(...segments) {
  return `#/${segments.map((each) => encodeURIComponent(each)).join("/")}`;
}

function segments() {
  const text = location.hash.replace(/^#\/?/, "");
  try {
    return text === "" ? [] : text.split("/").map(decodeURIComponent);
  } catch {
    return []; // a broken percent sign leads to the overview
  }
}

/** Go to another place. */
export function go(...where) {
  location.hash = link(...where);
}

/** The segments of the present address. */
export function useRoute() {
  const [route, setRoute] = useState(segments);
  useEffect(() => {
    const changed = () => setRoute(segments());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

const LAST = "kato.last.";

/** The node or session looked at last in this tab; "" if none. */
export const last = {
  get: (what) => sessionStorage.getItem(LAST + what) ?? "",
  set: (what, value) => sessionStorage.setItem(LAST + what, value),
};
