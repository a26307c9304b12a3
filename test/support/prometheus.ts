import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutable } from '../../src/cli/services/install.ts';
import { exited, guardProcess, stopProcess } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { portForLater } from './port.ts';
import { until } from './until.ts';

const ADVICE =
  'Install Prometheus, which brings promtool (`sudo apt-get install prometheus`, `brew install prometheus`).';

/** Where Debian's package is unpacked: installed, it would run a Prometheus of its own at every boot. */
const UNPACKED = join(REPOSITORY, 'node_modules', '.cache', 'larder-prometheus');

/**
 * Finds a program of Prometheus on PATH, else fetches Debian's package and unpacks it without installing it.
 *
 * @param name the program
 * @returns its absolute path
 * @throws when there is none and none can be fetched; the message says what to do
 */
export function findOrFetch(name: 'prometheus' | 'promtool'): string {
  const found = findOnPath([name]);
  if (found !== null) return found;
  const unpacked = join(UNPACKED, 'usr', 'bin', name);
  if (!isExecutable(unpacked)) fetchPackage();
  if (!isExecutable(unpacked)) throw new Error(`The package prometheus brought no ${name}. ${ADVICE}`);
  return unpacked;
}

/** Unpacks beside the place and moves it there, so that test files at the same time do not meet half of it. */
function fetchPackage(): void {
  if (findOnPath(['apt-get']) === null || findOnPath(['dpkg-deb']) === null) {
    throw new Error(`These tests need prometheus and promtool, and they are not on PATH. ${ADVICE}`);
  }
  mkdirSync(join(UNPACKED, '..'), { recursive: true });
  const directory = mkdtempSync(`${UNPACKED}-`);
  try {
    // apt downloads as an account of its own.
    chmodSync(directory, 0o777);
    const retries = ['-o', 'Acquire::Retries=5'];
    const download = () =>
      spawnSync('apt-get', ['download', ...retries, 'prometheus'], { cwd: directory, encoding: 'utf8' });
    let { status, stderr } = download();
    if (status !== 0 && process.getuid?.() === 0) {
      spawnSync('apt-get', ['update', '-o', 'DPkg::Lock::Timeout=120', ...retries]);
      ({ status, stderr } = download());
    }
    const file = readdirSync(directory).find((entry) => entry.endsWith('.deb'));
    if (status !== 0 || file === undefined) throw new Error(`apt-get download prometheus: ${stderr.trim()}\n${ADVICE}`);
    const unpacking = spawnSync('dpkg-deb', ['-x', file, 'unpacked'], { cwd: directory, encoding: 'utf8' });
    if (unpacking.status !== 0) throw new Error(`dpkg-deb -x ${file}: ${unpacking.stderr.trim()}`);
    if (!isExecutable(join(UNPACKED, 'usr', 'bin', 'promtool'))) {
      rmSync(UNPACKED, { recursive: true, force: true });
      renameSync(join(directory, 'unpacked'), UNPACKED);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Runs promtool.
 *
 * @param args its arguments
 * @param input what it reads
 * @returns how it ended and everything that it printed
 */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(findOrFetch('promtool'), args, { input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

/** One series of an answer, with its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A series of an answer over some time. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Times in seconds since the epoch, each with the value then. */
  readonly values: readonly (readonly [number, number])[];
}

/** Whose end stops a Prometheus: a test, for example. */
export interface Owner {
  /** @returns a directory that is removed at the end */
  testdir(content: Record<string, never>): string;
  teardown(action: () => Promise<void>): void;
}

/** A Prometheus that scrapes one server. */
export interface TestPrometheus {
  /** @returns what an expression comes to now; throws when Prometheus does not understand it */
  query(expression: string): Promise<Sample[]>;
  /** @returns what an expression came to in each of the last seconds; throws when Prometheus does not understand it */
  range(expression: string, seconds: number): Promise<Series[]>;
}

/**
 * Starts a Prometheus that scrapes a server once a second, as the job `larder`, and stops it when its owner ends.
 *
 * @param t the test, or whoever else it is for
 * @param metricsUrl where the server's metrics are
 * @param ruleFile rules to evaluate every second
 * @returns the Prometheus, ready for queries
 */
export async function startPrometheus(t: Owner, metricsUrl: string, ruleFile: string): Promise<TestPrometheus> {
  const directory = t.testdir({});
  const { host, pathname } = new URL(metricsUrl);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ruleFile],
    scrape_configs: [{ job_name: 'larder', metrics_path: pathname, static_configs: [{ targets: [host] }] }],
  };
  const file = join(directory, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const port = await portForLater();
  const child = spawn(
    findOrFetch('prometheus'),
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`Prometheus cannot be started. ${ADVICE}`);
  const guard = guardProcess(pid, null);
  t.teardown(async () => {
    await stopProcess(pid, [
      ['SIGTERM', 5000],
      ['SIGKILL', 5000],
    ]);
    await guard.release();
  });
  const url = `http://127.0.0.1:${port}`;
  await until('Prometheus is ready', async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${await exited(child)}: ${said}`);
    return fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
  });
  const ask = async <Result>(path: string, parameters: Record<string, string>): Promise<Result[]> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { error?: string; data?: { result: Result[] } };
    if (answer.data === undefined) throw new Error(`${parameters.query}: ${answer.error}`);
    return answer.data.result;
  };
  return {
    query: async (expression) => {
      const found = await ask<{ metric: Sample['metric']; value: [number, string] }>('query', { query: expression });
      return found.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    range: async (expression, seconds) => {
      const end = Date.now() / 1000;
      const parameters = { query: expression, start: String(end - seconds), end: String(end), step: '1' };
      const found = await ask<{ metric: Series['metric']; values: [number, string][] }>('query_range', parameters);
      return found.map(({ metric, values }) => ({ metric, values: values.map(([at, value]) => [at, Number(value)]) }));
    },
  };
}
