/* global React */

/**
 * What has run: the last run that passed the caches by beside the last one that went through them, as long as both are of
 * the same query and variables; else only the last run.
 *
 * A run is `{id, mode: 'cold' | 'cached', key, fetching, limit, primed, runs}`: `fetching` is `extensions.dataFetching`, `limit` the
 * most that a request may cost, `primed` how many misses the run before a warm one had, which filled the cache, `runs` of how many it is
 * the one in the middle.
 *
 * `inspection` is `unknown` until the server has answered something, `on`, `off` where the server shows nothing, or
 * `declined` where the header editor says so. `executed` is false after a request that the server did not execute.
 */
let state = { inspection: 'unknown', executed: true, cold: null, cached: null, latest: null };

let count = 0;

const listeners = new Set();

function change(changes) {
  state = { ...state, ...changes };
  for (const listener of listeners) listener();
}

/** The runs, for a component that is to follow them. */
export function useRuns() {
  return React.useSyncExternalStore(subscribe, () => state);
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes a run in, and numbers it. */
export function addRun(figures) {
  count += 1;
  const run = { ...figures, id: count };
  const other = run.mode === 'cold' ? 'cached' : 'cold';
  const comparable = state[other]?.key === run.key ? state[other] : null;
  change({ inspection: 'on', executed: true, latest: run, [run.mode]: run, [other]: comparable });
}

/** Notes whether the server shows what it does, as far as an answer tells. */
export function setInspection(inspection) {
  if (inspection === 'on') change({ inspection });
  else change({ inspection, executed: true, latest: null, cold: null, cached: null });
}

/** Notes that a request was refused, or failed on its way. */
export function addFailure() {
  change({ executed: false, latest: null });
}
