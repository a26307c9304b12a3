/* global React */

const element = React.createElement;

/** Why caches were passed by, in words. */
const REASONS = { cold: 'run cold', unreachable: 'no Redis', unvouched: 'not vouched for' };

const COLUMNS = [
  { name: 'Hit in memory', of: ({ memoryHits }) => memoryHits },
  { name: 'Hit in Redis', of: ({ hits, negative, memoryHits, joined = 0 }) => hits + negative - memoryHits - joined },
  { name: 'Read with another request', of: ({ joined = 0 }) => joined, rare: true },
  { name: 'of which negative', of: ({ negative }) => negative },
  { name: 'Missed', of: ({ misses }) => misses },
  { name: 'Stale version', of: ({ stale }) => stale },
  { name: 'Leased elsewhere', of: ({ leased = 0 }) => leased },
  { name: 'Bypassed', of: ({ bypassed = 0 }) => bypassed, why: reasons },
];

/** How the reads of each entity were answered. */
export function EntityTable({ title, cache }) {
  const entities = Object.entries(cache);
  if (entities.length === 0) return null;
  const columns = COLUMNS.filter(({ rare, of }) => !rare || entities.some(([, counts]) => of(counts) > 0));
  return element(
    'table',
    { className: 'inspector-entities' },
    element('caption', { className: 'inspector-unseen' }, `${title}: how the caches answered, by entity`),
    element(
      'thead',
      null,
      element(
        'tr',
        null,
        element('th', { scope: 'col' }, 'Entity'),
        columns.map(({ name }) => element('th', { key: name, scope: 'col', className: 'inspector-number' }, name)),
      ),
    ),
    element(
      'tbody',
      null,
      entities.map(([entity, counts]) =>
        element(
          'tr',
          { key: entity },
          element('th', { scope: 'row' }, entity),
          columns.map((column) => element(Cell, { key: column.name, column, counts })),
        ),
      ),
    ),
  );
}

function Cell({ column: { of, why }, counts }) {
  const number = of(counts);
  const because = number > 0 ? (why?.(counts) ?? '') : '';
  return element(
    'td',
    { className: number === 0 ? 'inspector-number inspector-zero' : 'inspector-number' },
    number,
    because !== '' && element('span', { className: 'inspector-why' }, because),
  );
}

function reasons({ bypassedBecause = {} }) {
  const given = Object.entries(bypassedBecause).filter(([, number]) => number > 0);
  return given
    .map(([reason, number]) => (given.length === 1 ? REASONS[reason] : `${number} ${REASONS[reason]}`))
    .join(', ');
}
