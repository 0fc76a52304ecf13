/** How screens ask the server and keep up with it. */

import { useCallback, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { listen } from "./live.js";

/**
 * The answer to a question, asked again whenever `inputs` change.
 *
 * `question(signal)` gives a promise. Of several questions in flight only the last one's answer counts; an answer stays in
 * view until the next is there. Returns { value, error, loading, again }.
 */
export function useAsked(question, inputs) {
  const [found, setFound] = useState({ value: null, error: null, loading: true });
  const flight = useRef(null);
  const again = useCallback(async () => {
    flight.current?.abort();
    const mine = (flight.current = new AbortController());
    setFound((before) => ({ ...before, loading: true }));
    try {
      const value = await question(mine.signal);
      if (flight.current === mine) setFound({ value, error: null, loading: false });
    } catch (error) {
      if (flight.current === mine) setFound({ value: null, error, loading: false });
    }
  }, inputs);
  useEffect(() => {
    again();
    return () => flight.current?.abort();
  }, [again]);
  return { ...found, again };
}

const EVERY = 5000;

/** The same, asked again every five seconds while somebody looks. */
export function useEvery(question, inputs) {
  const found = useAsked(question, inputs);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && found.again(), EVERY);
    return () => clearInterval(timer);
  }, [found.again]);
  return found;
}

/** Call `act()` soon after a live event that `concerns(event)`; events in a burst count once. */
export function useLive(concerns, act, inputs) {
  useEffect(() => {
    let due = null;
    const stop = listen((event) => {
      if (due === null && concerns(event)) {
        due = setTimeout(() => {
          due = null;
          act();
        }, 150);
      }
    });
    return () => {
      stop();
      clearTimeout(due);
    };
  }, inputs);
}

/** Draw again every so many milliseconds. */
export function useTick(milliseconds) {
  const [, setCount] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setCount((before) => before + 1), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}

/** A value once it has not changed for so many milliseconds. */
export function useSettled(value, milliseconds) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
