import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Request } from './queries.ts';
import { findOrInstallWrk } from './wrk.ts';

/** A load to put on a server. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** What is asked, over and over: of each list the first, then of each the second, and so on. */
  readonly requests: readonly (readonly Request[])[];
  /** Whether all of it is asked once instead, and the seconds are the most that this may take; `false` when absent. */
  readonly once?: boolean;
}

/** What came of it. */
export interface Outcome {
  /** How many requests were answered, and how many were sent: some are under way at the end. */
  readonly answered: number;
  readonly sent: number;
  readonly perSecond: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were not 200 with data, and requests without an answer. */
  readonly errors: number;
  /** How many requests were answered in each second. */
  readonly eachSecond: readonly number[];
}

/** What load.lua writes, times in microseconds. */
interface Written {
  readonly answered: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  readonly wrong: number;
  readonly eachSecond: readonly number[];
}

/** A request that is not answered within so many seconds counts as an error. */
const TIMEOUT_SECONDS = 10;

const SCRIPT = fileURLToPath(new URL('./load.lua', import.meta.url));

/**
 * Puts a load on a server: every connection sends its next request when the one before is answered. A quick server would wait for a load
 * generator in JavaScript. So would its Postgres, which has the same core. wrk takes a tenth of the time.
 *
 * @param load the load
 * @returns how the server did
 * @throws when there is no wrk, or it fails
 */
export async function run({ url, connections, seconds, requests, once: eachOnce = false }: Load): Promise<Outcome> {
  const wrk = await findOrInstallWrk();
  // It takes whole seconds alone, and so is stopped below; without us it ends by itself.
  const duration = Math.ceil(seconds) + 1;
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${duration}s`,
    `--timeout=${TIMEOUT_SECONDS}s`,
    `--script=${SCRIPT}`,
    url,
    ...(eachOnce ? ['--', 'once'] : []),
  ];
  const child = spawn(wrk, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = Promise.all([text(child.stdout), once(child, 'close')]);
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (words: string) => {
    told += words;
    // It would wait for its seconds to pass.
    if (told.includes('all answered')) child.kill('SIGINT');
  });
  const { host } = new URL(url);
  // When it ends before it has heard all, it says why, which is told below.
  child.stdin.on('error', () => {});
  child.stdin.end(
    inTurn(requests)
      .map((request) => asText(request, host))
      .join(''),
  );
  const timer = setTimeout(() => child.kill('SIGINT'), seconds * 1000);
  const [out] = await said.finally(() => clearTimeout(timer));
  const [, json] = /^(\{"answered":.*\})$/m.exec(out) ?? [];
  if (json === undefined) throw new Error(`wrk failed:\n${out}${told}`);
  const { answered, microseconds, p50, p99, failed, wrong, eachSecond } = JSON.parse(json) as Written;
  return {
    answered,
    sent: answered + connections,
    perSecond: answered / (microseconds / 1e6),
    p50: p50 / 1000,
    p99: p99 / 1000,
    errors: failed + wrong,
    eachSecond: Array.from({ length: Math.ceil(seconds) }, (_second, i) => eachSecond[i] ?? 0),
  };
}

/** Of each list the first, then of each the second, and so on. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

/** The request as it goes over the wire, after a line with its length. */
function asText({ method, path, headers, body = '' }: Request, host: string): string {
  const fields = { host, ...headers, ...(method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {}) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const whole = `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
  return `${Buffer.byteLength(whole)}\n${whole}`;
}
