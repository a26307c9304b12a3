import type { Sample } from './measure.ts';
import { type PeerName, peerOf } from './peers.ts';
import { table } from './report.ts';
import { medianOver, type Results } from './results.ts';
import type { Traffic } from './traffic.ts';

/** Whom README compares, by which name, and how stale what they answer may be. */
const ROWS: readonly { readonly peer: PeerName; readonly title?: string; readonly stale: string }[] = [
  { peer: 'larder', stale: 'through lists not, by id see above' },
  { peer: 'postgraphile', stale: 'not: it caches nothing' },
  { peer: 'pothos-drizzle', title: 'Pothos with its Drizzle plugin', stale: 'not: it caches nothing' },
  { peer: 'pothos-prisma', title: 'Pothos with its Prisma plugin', stale: 'not: it caches nothing' },
  {
    peer: 'mercurius-cache',
    title: 'mercurius-cache, every field known',
    stale: "its TTL: others' writes are not seen",
  },
  { peer: 'response-cache', title: 'whole-response cache, every request known', stale: 'the same' },
  { peer: 'response-cache-new', title: 'whole-response cache, every request new', stale: 'the same' },
];

const p50 = ({ p50 }: Sample) => p50;
const COLUMNS: readonly (readonly [string, Traffic, (sample: Sample) => number, number])[] = [
  ['alone: random page, p50 ms', 'lone-random', p50, 1],
  ['alone: by id, p50 ms', 'lone-byId', p50, 2],
  ['32: random pages/s', 'random', ({ perSecond }) => perSecond, 0],
  ['32: p99 ms', 'random', ({ p99 }) => p99, 0],
  ['32: wide pages/s', 'wide', ({ perSecond }) => perSecond, 0],
];

/**
 * Writes the table that README compares with.
 *
 * @param results all that was measured
 * @returns the lines of a Markdown table
 */
export function readmeTable(results: Results): string[] {
  const cell = (traffic: Traffic, peer: PeerName, pick: (sample: Sample) => number, digits: number) => {
    const value = medianOver(results, traffic, peer, pick);
    if (value === null) return '–';
    return digits === 0 ? Math.round(value).toLocaleString('en-US') : value.toFixed(digits);
  };
  const [head = '', rule = '', ...rows] = table(
    ['', ...COLUMNS.map(([title]) => title), 'How stale a read may be'],
    ROWS.map(({ peer, title = peerOf(peer).title, stale }) => [
      title,
      ...COLUMNS.map(([, traffic, pick, digits]) => cell(traffic, peer, pick, digits)),
      stale,
    ]),
  );
  // Words begin at the left.
  return [head, rule.replace(/---: \|$/, '--- |'), ...rows];
}
