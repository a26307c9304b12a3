import type { Sample } from './measure.ts';
import { reportMemory } from './memory/report-memory.ts';
import { PEERS, type PeerName } from './peers.ts';
import { type ColdStart, type Results, type Spread, spreadOf } from './results.ts';
import { reportStorm } from './storm/report-storm.ts';
import { targetsOf } from './targets.ts';
import { KINDS, type Kind, TRAFFIC, type Traffic } from './traffic.ts';

/**
 * Writes a run as Markdown: how fast, at what cost, and how that compares with the targets.
 *
 * @param results all that was measured
 * @returns the text
 */
export function report(results: Results): string {
  const { machine, at, mode, data, warning, connections, secondsPerRun, rounds } = results;
  return [
    ...(warning === null ? [] : [`**${warning}**`, '']),
    `${at}, mode ${mode}: ${data}; ${connections} connections; ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${secondsPerRun} s for each figure. ${machine}.`,
    '',
    `Requests per second${rounds === 1 ? '' : ', median of the rounds (least – most)'}:`,
    '',
    ...rateTable(results),
    '',
    'One connection: p50 / p99 / CPU of the server + of Postgres, in ms:',
    '',
    ...loneTable(results),
    '',
    'What a request cost, as medians. CPU in seconds for each 1,000 requests; statements and commands for each request:',
    '',
    ...costTable(results),
    '',
    'Targets:',
    '',
    ...targetsOf(results).map(({ what, measured, passed }) => `- ${passed ? 'pass' : 'FAIL'}: ${what} — ${measured}`),
    '',
    ...(results.storm === null ? [] : [...reportStorm(results.storm), '']),
    ...(results.memory.length === 0 ? [] : [...reportMemory(results.memory), '']),
    ...(results.restarts.length === 0
      ? []
      : ['Redis taken away under load, random pages answered in each second:', '']),
    ...results.restarts.map(
      ({ title, eachSecond, from, until, errors }) =>
        `- ${title} (${from === until ? `at ${from} s` : `from ${from} s to ${until} s`}): ${eachSecond.join(', ')}; ${errors} errors`,
    ),
  ].join('\n');
}

/** The kinds that were measured, of those that a table shows. */
function measuredOf({ samples }: Results, shown: (kind: Kind) => boolean): Traffic[] {
  return TRAFFIC.filter((traffic) => shown(KINDS[traffic]) && samples[traffic] !== undefined);
}

/** A row for each peer, without those of which it has nothing. */
function peerTable(head: readonly string[], cellsOf: (peer: PeerName) => readonly string[]): string[] {
  const rows = PEERS.map(({ name, title }) => [title, ...cellsOf(name)]);
  return table(
    ['', ...head],
    rows.filter((row) => row.slice(1).some((cell) => cell !== MISSING)),
  );
}

function rateTable(results: Results): string[] {
  const measured = measuredOf(results, ({ lone }) => !lone);
  const head = [
    ...measured.map((traffic) => KINDS[traffic].title),
    `cold start: random pages in the first ${results.coldSeconds} s`,
  ];
  return peerTable(head, (peer) => [
    ...measured.map((traffic) => rate(spreadOf(results, traffic, peer, (sample) => sample.perSecond))),
    coldRate(results.cold[peer], results.coldSeconds),
  ]);
}

/** How long a reader waits who asks alone. */
function loneTable(results: Results): string[] {
  const measured = measuredOf(results, ({ lone }) => lone);
  const cellOf = (traffic: Traffic, peer: PeerName): string => {
    const [p50, p99, server, postgres] = [
      cell(results, traffic, peer, (sample) => sample.p50, 2),
      cell(results, traffic, peer, (sample) => sample.p99, 1),
      cell(results, traffic, peer, (sample) => sample.serverCpu, 2),
      cell(results, traffic, peer, (sample) => sample.postgresCpu, 2),
    ];
    return p50 === null ? MISSING : `${p50} / ${p99} / ${server} + ${postgres}`;
  };
  return peerTable(
    measured.map((traffic) => KINDS[traffic].title),
    (peer) => measured.map((traffic) => cellOf(traffic, peer)),
  );
}

/** Over the seconds that every peer was watched for. */
function coldRate(cold: ColdStart | undefined, coldSeconds: number): string {
  if (cold === undefined) return MISSING;
  const seconds = cold.eachSecond.slice(0, coldSeconds);
  return whole(seconds.reduce((sum, answered) => sum + answered, 0) / seconds.length);
}

function rate(spread: Spread | null): string {
  if (spread === null) return MISSING;
  const { median, min, max } = spread;
  return min === max ? whole(median) : `${whole(median)} (${whole(min)} – ${whole(max)})`;
}

/** What was not measured. */
const MISSING = '–';

const COSTS: readonly (readonly [string, (sample: Sample) => number, number])[] = [
  ['p50 ms', (sample) => sample.p50, 2],
  ['p99 ms', (sample) => sample.p99, 2],
  ['SQL statements', (sample) => sample.statements, 2],
  ['Redis commands', (sample) => sample.redisCommands, 2],
  ['server CPU', (sample) => sample.serverCpu, 3],
  ['Postgres CPU', (sample) => sample.postgresCpu, 3],
  ['Redis CPU', (sample) => sample.redisCpu, 3],
  ['errors', (sample) => sample.errors, 0],
];

function costTable(results: Results): string[] {
  const head = ['', '', ...COSTS.map(([title]) => title)];
  const rows = TRAFFIC.flatMap((traffic) =>
    PEERS.flatMap((peer) => {
      const cells = COSTS.map(([, pick, digits]) => cell(results, traffic, peer.name, pick, digits));
      return cells.includes(null) ? [] : [[traffic, peer.title, ...cells.map(String)]];
    }),
  );
  return table(head, rows);
}

function cell(
  results: Results,
  traffic: Traffic,
  peer: PeerName,
  pick: (sample: Sample) => number,
  digits: number,
): string | null {
  return spreadOf(results, traffic, peer, pick)?.median.toFixed(digits) ?? null;
}

/** @returns the lines of a Markdown table, its first columns to the left */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((title, column) => (title === '' || column === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
