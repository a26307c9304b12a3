/* global React */

import { EntityTable } from './entity-table.js';
import { figuresOf, figureTexts, savings, timing } from './figures.js';
import { Waterfall } from './waterfall.js';
import { count } from './words.js';

const element = React.createElement;

/** The cold run beside the one through the caches, in one scale; or the last run alone. */
export function Comparison({ id, runs: { cold, cached, latest } }) {
  const shown = [cold, cached].filter((run) => run !== null);
  const longest = Math.max(...shown.map(lengthOf));
  const figures = new Map(shown.map((run) => [run, figuresOf(run)]));
  return element(
    'div',
    { id, className: 'inspector-panel' },
    cold !== null &&
      cached !== null &&
      element(
        'p',
        { className: 'inspector-savings' },
        element('b', null, 'Through the caches: '),
        `${savings(figures.get(cold), figures.get(cached))}.`,
      ),
    latest === null && shown.length === 0
      ? element(
          'p',
          { className: 'inspector-hint' },
          'Run cold passes the caches by, Run warm goes through them. Run both to see the two side by side.',
        )
      : element(
          'div',
          { className: cold === null ? 'inspector-runs' : 'inspector-runs inspector-runs-two' },
          cold !== null && element(Run, { key: cold.id, run: cold, latest, figures: figures.get(cold), longest }),
          cached !== null &&
            element(Run, { key: cached.id, run: cached, latest, figures: figures.get(cached), longest }),
          cached === null && element('p', { className: 'inspector-hint' }, 'Run warm puts its waterfall here.'),
        ),
  );
}

function Run({ run, latest, figures, longest }) {
  const heading = React.useId();
  const place = React.useRef(null);
  const isLatest = run === latest;
  // In a narrow window the two runs stand below each other.
  React.useEffect(() => {
    if (isLatest) place.current.scrollIntoView({ block: 'nearest' });
  }, [isLatest]);
  const { events, cache } = run.fetching;
  const { title, note } = titleOf(run, figures);
  return element(
    'section',
    { ref: place, className: 'inspector-run-view', 'aria-labelledby': heading },
    element('h2', { id: heading }, title),
    element('p', { className: 'inspector-summary' }, `${figureTexts(figures).join(' · ')} (${timing(figures)})`),
    note !== null && element('p', { className: 'inspector-note' }, note),
    element(Waterfall, { title, events, longest, repeated: figures.repeated }),
    element(EntityTable, { title, cache }),
  );
}

function titleOf({ mode, primed }, { misses, reads }) {
  if (mode === 'cold') return { title: 'Cold run', note: 'The caches were passed by, for this request alone.' };
  if (reads === 0) return { title: 'Run', note: null };
  if (misses > 0) return { title: 'Run', note: `${count(misses, 'miss', 'misses')}: the caches were not warm yet.` };
  const note =
    primed > 0
      ? `A run before it, not shown, missed ${primed} and filled the caches.`
      : 'The caches held all that it needed.';
  return { title: 'Warm run', note };
}

/** From when the request began to its end: what its bars are measured against. */
function lengthOf({ fetching: { totalMs, events } }) {
  return Math.max(totalMs, ...events.map(({ startMs, ms }) => startMs + ms));
}
