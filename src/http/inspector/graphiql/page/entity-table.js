/* global React */

const element = React.createElement;

/** Why caches were passed by, in words. */
const REASONS = { cold: 'run cold', unreachable: 'no Redis', unvouched: 'not vouched for' };

const COLUMNS = [
  { name: 'Hit in memory', of: inMemory },
  { name: 'Hit in Redis', of: (counts) => counts.hits - inMemory(counts) - counts.joined },
  { name: 'Read with another request', of: ({ joined }) => joined, rare: true },
  { name: 'Negative', of: ({ negative }) => negative, why: whereNegative },
  { name: 'Missed', of: ({ misses }) => misses },
  { name: 'Stale version', of: ({ stale }) => stale },
  { name: 'Leased elsewhere', of: ({ leased }) => leased },
  { name: 'Bypassed', of: ({ bypassed }) => bypassed, why: reasons },
];

/** The counts of memory have what is known not to exist in them. */
function inMemory({ memoryHits, memoryNegatives }) {
  return memoryHits - memoryNegatives;
}

/** Which tier knew that an id names nothing. */
function whereNegative({ negative, memoryNegatives, joinedNegatives }) {
  const places = {
    'in memory': memoryNegatives,
    'in Redis': negative - memoryNegatives - joinedNegatives,
    'with another request': joinedNegatives,
  };
  return listed(places, negative);
}

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

function reasons({ bypassed, bypassedBecause = {} }) {
  const words = Object.entries(bypassedBecause).map(([reason, number]) => [REASONS[reason], number]);
  return listed(Object.fromEntries(words), bypassed);
}

/** What a number is made of, in words, such as `2 in memory, 1 in Redis`, or `in memory` where that is all of it. */
function listed(parts, whole) {
  return Object.entries(parts)
    .filter(([, number]) => number > 0)
    .map(([words, number]) => (number === whole ? words : `${number} ${words}`))
    .join(', ');
}
