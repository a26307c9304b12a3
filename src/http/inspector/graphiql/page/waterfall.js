/* global React */

import { Keys } from './keys.js';
import { Statement } from './statement.js';
import { count, milliseconds } from './words.js';

const element = React.createElement;
const COLUMNS = 6;
const KINDS = { sql: 'SQL', redis: 'Redis' };

/**
 * What a run asked of Postgres and Redis, each a bar from when it was sent to when it was answered.
 *
 * @param props `longest` is what the whole width stands for, in milliseconds, so that two runs have one scale
 */
export function Waterfall({ title, events, longest, repeated }) {
  const [shown, setShown] = React.useState(null);
  const id = React.useId();
  const body = events.flatMap((event, i) => {
    const detail = `${id}-${i}`;
    const open = shown === i;
    // BEGIN and COMMIT have no text.
    const content = contentOf(event);
    const toggle = content === null ? null : () => setShown(open ? null : i);
    return [
      element(Row, { key: i, event, longest, detail, open, toggle, times: repeated.get(event.name) }),
      open &&
        element(
          'tr',
          { key: detail, id: detail, className: 'inspector-detail' },
          element('td', { colSpan: COLUMNS }, content),
        ),
    ];
  });
  return element(
    'table',
    { className: 'inspector-waterfall' },
    element('caption', { className: 'inspector-unseen' }, `${title}: statements and commands by time`),
    element(
      'thead',
      null,
      element(
        'tr',
        null,
        header('Kind', 'inspector-column-kind'),
        header('Statement or keys', 'inspector-column-statement'),
        element(
          'th',
          { scope: 'col', className: 'inspector-axis' },
          element('span', { className: 'inspector-unseen' }, 'Time: from '),
          element('span', null, '0'),
          element('span', { className: 'inspector-unseen' }, ' to '),
          element('span', null, milliseconds(longest)),
        ),
        header('Rows', 'inspector-number'),
        header('Hits', 'inspector-number'),
        header('Took', 'inspector-number'),
      ),
    ),
    element(
      'tbody',
      null,
      body.length > 0
        ? body
        : element('tr', null, element('td', { colSpan: COLUMNS }, 'It asked neither Postgres nor Redis.')),
    ),
  );
}

function Row({ event, longest, detail, open, toggle, times }) {
  const { kind, name, startMs, ms, rows, keys, hits, failed } = event;
  const share = (part) => `${Math.min(100, (100 * part) / longest)}%`;
  const what = kind === 'redis' ? `${name}, ${count(keys, 'key')}` : name;
  return element(
    'tr',
    { className: toggle === null ? undefined : 'inspector-clickable', onClick: toggle },
    element('td', null, element('span', { className: `inspector-kind inspector-kind-${kind}` }, KINDS[kind])),
    element(
      'th',
      { scope: 'row' },
      toggle === null
        ? what
        : element(
            'button',
            // A click on it is one on its row.
            { type: 'button', 'aria-expanded': open, 'aria-controls': open ? detail : undefined },
            what,
          ),
      times !== undefined && element('span', { className: 'inspector-warning' }, `ran ${times} times`),
      failed && element('span', { className: 'inspector-failure' }, 'failed'),
    ),
    element(
      'td',
      { className: 'inspector-track' },
      element('span', { className: 'inspector-unseen' }, `from ${milliseconds(startMs)} on`),
      element('span', {
        className: `inspector-bar inspector-bar-${kind}`,
        style: { left: share(startMs), width: share(ms) },
      }),
    ),
    number(rows),
    number(hits === undefined ? undefined : `${hits}/${keys}`),
    number(milliseconds(ms)),
  );
}

/** What a click on a row shows. */
function contentOf(event) {
  if (event.kind === 'redis') return element(Keys, { names: event.keyNames });
  return event.sql === undefined ? null : element(Statement, { event });
}

function header(text, className) {
  return element('th', { scope: 'col', className }, text);
}

function number(value) {
  return element('td', { className: 'inspector-number' }, value ?? '–');
}
