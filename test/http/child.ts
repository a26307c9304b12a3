import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { exited } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { outputOf } from '../support/output-of.ts';
import { portForLater } from '../support/port.ts';
import { REDIS_PATIENCE_MS, type TestDatabase, type TestRedis } from '../support/services.ts';
import { until } from '../support/until.ts';

/** The server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly metricsUrl: string;
  readonly pid: number;
  /** Everything that it wrote so far, on both streams. */
  output(): string;
  /** How it ended, such as `exit code 0`. */
  readonly ended: Promise<string>;
  /** `null` while it runs. */
  exitCode(): number | null;
  kill(signal: NodeJS.Signals): void;
  /** Collects garbage in it, and answers how much of its heap is in use, in bytes. */
  heapAfterGc(): Promise<number>;
}

const START_MS = 120_000;

/** Preloaded: at SIGUSR2 it collects garbage and says what is left. */
const HEAP_REPORT = `data:text/javascript,${encodeURIComponent(
  'process.on("SIGUSR2", () => { gc(); gc(); process.stderr.write("heap " + process.memoryUsage().heapUsed + "\\n"); });',
)}`;

/**
 * Starts `src/main.ts` as `npm start` does, on free ports, and kills it when the test ends.
 *
 * @param t the test that it is for
 * @param stores what to start it on
 * @param env its variables over those of production; of our own it gets PATH alone
 * @param flags more flags for Node
 * @returns the server, which answers
 */
export async function startProcess(
  t: Test,
  stores: { readonly database: Pick<TestDatabase, 'url'>; readonly redis: Pick<TestRedis, 'url'> | null },
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<ServerProcess> {
  const port = await portForLater();
  const metricsPort = await portForLater();
  const nodeFlags = ['--expose-gc', '--import', HEAP_REPORT, '--import=tsx', ...flags];
  const child = spawn(process.execPath, [...nodeFlags, 'src/main.ts'], {
    cwd: REPOSITORY,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      SHUTDOWN_DELAY_MS: '0',
      // A machine that does much else lags, and lets all wait.
      MAX_EVENT_LOOP_DELAY_MS: '0',
      REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS),
      STATEMENT_TIMEOUT_MS: '30000',
      REQUEST_TIMEOUT_MS: '60000',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      DATABASE_URL: stores.database.url,
      ...(stores.redis === null ? {} : { REDIS_URL: stores.redis.url }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output = outputOf(child);
  const ended = exited(child);
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  // On a busy machine it takes longer than anything else that a test waits for.
  const deadline = performance.now() + START_MS;
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`The server ended (${await ended}):\n${output()}`);
    if (performance.now() > deadline) throw new Error(`The server did not answer in ${START_MS} ms:\n${output()}`);
    await sleep(50);
  }
  return {
    url,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    pid: child.pid ?? 0,
    output,
    ended,
    exitCode: () => child.exitCode,
    kill: (signal) => child.kill(signal),
    heapAfterGc: async () => {
      const reports = () => [...output().matchAll(/^heap (\d+)$/gm)];
      const before = reports().length;
      child.kill('SIGUSR2');
      await until('the heap is reported', async () => reports().length > before);
      return Number(reports().at(-1)?.[1]);
    },
  };
}
