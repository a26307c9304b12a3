/* global GraphiQL, React */

import { Comparison } from './comparison.js';
import { runAs } from './fetcher.js';
import { useRuns } from './runs.js';
import { Strip } from './strip.js';

const element = React.createElement;

/**
 * What the last queries did to Postgres, Redis and the caches: a strip that is always in view, and a panel below it. It
 * must be rendered inside of GraphiQL, whose current tab it runs.
 */
export function Inspector() {
  const runs = useRuns();
  const { run, isFetching } = GraphiQL.React.useExecutionContext({ nonNull: true });
  const [open, setOpen] = React.useState(false);
  const toggle = React.useRef(null);
  const startable = !isFetching && !['off', 'declined'].includes(runs.inspection);
  const start = (mode) => {
    if (!startable) return;
    setOpen(true);
    runAs(mode, run);
  };
  const onKeyDown = (event) => {
    if (event.key !== 'Escape' || !open) return;
    setOpen(false);
    // The focus must not vanish with what it was on.
    toggle.current.focus();
  };
  return element(
    'section',
    { className: 'inspector', 'aria-label': 'Inspector', onKeyDown },
    element(Strip, { runs, open, toggle, startable, onToggle: () => setOpen(!open), onRun: start }),
    open && element(Comparison, { id: 'inspector-panel', runs }),
  );
}
