import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { readCursors } from './check.ts';
import type { Bench } from './compare.ts';
import { run } from './load.ts';
import { peerOf } from './peers.ts';
import { table } from './report.ts';
import { startServer } from './server.ts';
import { KINDS, requestsOf, type Traffic } from './traffic.ts';

/** What `node --cpu-prof` writes, as far as it is read here. */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  /** In microseconds. */
  readonly endTime: number;
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** The Redis database of the profiled server. */
const REDIS = 30;
const WARM_UP_SECONDS = 3;
const FRAMES = 20;

/**
 * Profiles Larder under a load, and says where its time goes.
 *
 * @param bench what to measure on
 * @param traffic the load
 * @param directory where the profile is kept, to be opened in a browser's developer tools
 * @returns the summary as Markdown
 */
export async function profile(bench: Bench, traffic: Traffic, directory: string): Promise<string> {
  const { mode, stores, database, pool } = bench;
  const target = join(directory, `profile-${traffic}`);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(REDIS) };
  const larder = peerOf('larder');
  const flags = ['--cpu-prof', '--cpu-prof-interval', '200', `--cpu-prof-dir=${target}`];
  const server = await startServer(larder, bench.cores, addresses, { flags, env: { CACHE_PREFIX: 'profile:' } });
  const { profileSeconds } = mode;
  const connections = KINDS[traffic].lone ? 1 : mode.connections;
  let ended: number;
  try {
    const cursors = await readCursors(server);
    const requests = requestsOf({ peer: larder, traffic, pool, cursors, connections, seed: 5 });
    await run({ url: server.url, connections, seconds: WARM_UP_SECONDS, requests });
    await run({ url: server.url, connections, seconds: profileSeconds, requests });
    ended = performance.now();
  } finally {
    // The profile is written when the process ends.
    await server.stop();
  }
  const [file] = readdirSync(target);
  if (file === undefined) throw new Error(`Node wrote no profile into ${target}.`);
  const written = JSON.parse(readFileSync(join(target, file), 'utf8')) as Profile;
  return summary(written, profileSeconds * 1e6, (performance.now() - ended) * 1000);
}

/** Self time by frame and by what the frame belongs to, in the window that ended so long before the process did. */
function summary(profile: Profile, windowUs: number, afterUs: number): string {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const bySource = new Map<string, number>();
  const byFrame = new Map<string, number>();
  const until = profile.endTime - afterUs;
  let at = profile.startTime;
  let busy = 0;
  let idle = 0;
  profile.samples.forEach((id, i) => {
    const spent = profile.timeDeltas[i] ?? 0;
    at += spent;
    const frame = frames.get(id);
    if (frame === undefined || at > until || at < until - windowUs) return;
    if (frame.functionName === '(idle)') {
      idle += spent;
      return;
    }
    busy += spent;
    add(bySource, sourceOf(frame), spent);
    add(byFrame, `\`${frame.functionName || '(anonymous)'}\` ${placeOf(frame)}`, spent);
  });
  const rows = (spent: Map<string, number>, most: number) =>
    [...spent]
      .sort((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([name, us]) => [name, `${((us / busy) * 100).toFixed(1)} %`]);
  return [
    `Busy ${((busy / (busy + idle)) * 100).toFixed(0)} % of the time. Self time by what it belongs to:`,
    '',
    ...table(['what', 'self time'], rows(bySource, 16)),
    '',
    'and by function:',
    '',
    ...table(['function', 'self time'], rows(byFrame, FRAMES)),
  ].join('\n');
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

function sourceOf({ functionName, url }: CallFrame): string {
  if (url === '') return functionName === '(garbage collector)' ? 'garbage collection' : 'native code of Node';
  if (url.startsWith('node:')) return 'Node';
  const [, packageName] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (packageName !== undefined) return packageName;
  const [, folder] = /\/dist\/([^/]+)\//.exec(url) ?? [];
  return folder === undefined ? 'compiled queries and other generated code' : `Larder, src/${folder}`;
}

function placeOf({ url, lineNumber }: CallFrame): string {
  const path = url.replace('file://', '').replace(`${REPOSITORY}/`, '');
  return path === '' ? '' : `${path}:${lineNumber + 1}`;
}
