import { useSyncExternalStore } from 'react';

/** How many requests are shown. */
const SHOWN = 12;

let runs = [];
let count = 0;
const listeners = new Set();

/** Adds a request: `{name, fetching, limit}`, where `fetching` is `extensions.dataFetching`, or missing where it was refused. */
export function addRun(run) {
  count += 1;
  runs = [{ ...run, id: count }, ...runs].slice(0, SHOWN);
  for (const listener of listeners) listener();
}

/** The last requests, the latest first. */
export function useRuns() {
  return useSyncExternalStore(subscribe, () => runs);
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
