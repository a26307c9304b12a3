import { count, milliseconds, percent } from './words.js';

/**
 * The figures of a run, out of `extensions.dataFetching`: what the strip says, and what two runs are compared by.
 *
 * @param run a run as runs.js keeps it
 */
export function figuresOf({ fetching, limit, runs }) {
  const { sql, cache, cost, totalMs, events } = fetching;
  const sum = (name) => Object.values(cache).reduce((total, counts) => total + (counts[name] ?? 0), 0);
  // That an id names nothing is an answer of the cache, too.
  const answered = sum('hits') + sum('negative');
  return {
    sql: sql.statements,
    rows: sql.rows,
    mget: events.filter((event) => event.kind === 'redis' && (event.name === 'MGET' || event.name === 'larderRead'))
      .length,
    answered,
    reads: answered + sum('misses'),
    misses: sum('misses'),
    cost,
    limit,
    ms: totalMs,
    runs,
    repeated: repeatedStatements(events),
  };
}

/** The strip's words, one string for each figure. */
export function figureTexts({ sql, mget, answered, reads, cost, limit, ms }) {
  return [
    `${sql} SQL`,
    `${mget} MGET`,
    reads === 0 ? 'no entity read' : `${answered}/${reads} hits (${percent(answered, reads)})`,
    ...(cost === null ? [] : [limit === undefined ? `cost ${cost}` : `cost ${cost}/${limit}`]),
    milliseconds(ms),
  ];
}

/** What the time of a run is, in words. */
export function timing({ runs }) {
  return runs === 1 ? 'one run' : `p50 of ${runs} runs`;
}

/** What the warm run spared, in words. */
export function savings(cold, warm) {
  const fewer = (difference, noun) =>
    difference === 0 ? `as many ${noun}s` : `${count(Math.abs(difference), noun)} ${difference > 0 ? 'fewer' : 'more'}`;
  const ms = cold.ms - warm.ms;
  return [
    fewer(cold.sql - warm.sql, 'statement'),
    fewer(cold.rows - warm.rows, 'row'),
    `${milliseconds(Math.abs(ms))} ${ms >= 0 ? 'less' : 'more'} (${timings(cold, warm)})`,
  ].join(', ');
}

function timings(cold, warm) {
  return cold.runs === warm.runs ? `${timing(cold)} each` : `${timing(cold)} beside ${timing(warm)}`;
}

/** A statement that runs more than once in a request is one that nobody batched. */
function repeatedStatements(events) {
  const times = new Map();
  for (const { kind, name, sql } of events) {
    // BEGIN and COMMIT, which have no text, belong to each write.
    if (kind === 'sql' && sql !== undefined) times.set(name, (times.get(name) ?? 0) + 1);
  }
  return new Map([...times].filter(([, number]) => number > 1));
}
