import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { comesTrue } from './comes-true.ts';
import { findFreePort } from './port.ts';
import { commandLine, exited, type Guard, guardProcess, stopProcess } from './process.ts';
import { findRedis, type RedisBinary } from './redis-binary.ts';
import { ServiceError } from './service-error.ts';

/** How a Redis that is spoken to over TLS alone is started, and how its clients connect. */
export interface RedisTls {
  /** Arguments of the command line, which name the certificates. */
  readonly args: readonly string[];
  readonly client: ConnectionOptions;
}

/** Which Redis to start, and where. */
export interface RedisOptions {
  /** The directory for its log and its process id; a temporary one when it is left out. No other living run may be using it. */
  readonly dir?: string;
  /** The preferred port. When it is taken or left out, another one is found. */
  readonly port?: number;
  /** More arguments of the command line, such as `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[];
  /** The program; the one on PATH when it is left out. */
  readonly binary?: RedisBinary;
  /** Certificates; without them it listens in plain text. */
  readonly tls?: RedisTls;
}

/** A running Redis that this process started. It keeps nothing on disk, and listens on 127.0.0.1 alone. */
export interface RedisService {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /**
   * Sends a signal to it, and does not wait.
   *
   * @param signal the signal, such as SIGSTOP, SIGCONT or SIGKILL
   */
  kill(signal: NodeJS.Signals): void;
  /** Stops the server. Calling it twice does no harm. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 60_000;
const ATTEMPTS = 3;
const STOP = [
  ['SIGTERM', 5_000],
  ['SIGKILL', 5_000],
] as const;

/**
 * Starts a private Redis. It does not outlive this process. One that an earlier run left in the same `dir` is stopped first.
 *
 * @param options where its log is, the port, more arguments, the program
 * @returns the service, ready for commands
 * @throws when there is no redis-server, or it does not start, with the end of its log
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisService> {
  const binary = options.binary ?? findRedis();
  if (binary === null) {
    throw new ServiceError('There is no redis-server on PATH. Install it: `sudo apt-get install redis-server`.');
  }
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'larder-redis-'));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const record = join(dir, 'redis.pid');
  await stopLeftover(record);
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort(HOST, options.port);
    const child = launch(binary, dir, [...listening(port, options.tls), ...(options.args ?? [])]);
    const pid = child.pid;
    const temporary = options.dir === undefined ? dir : null;
    const guard = pid === undefined ? null : guardProcess(pid, temporary);
    const failure = await ready(child, port, options.tls);
    if (failure === null && pid !== undefined) {
      writeFileSync(record, `${pid}\n${commandLine(pid)}\n`);
      return service(child, pid, port, record, temporary, guard, options.tls);
    }
    await guard?.release();
    const log = readFileSync(join(dir, 'redis.log'), 'utf8').trim().split('\n').slice(-10).join('\n');
    if (attempt === ATTEMPTS || !log.includes('Address already in use')) {
      if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
      throw new ServiceError(`Redis did not start (${failure}):\n${log}`);
    }
  }
}

async function stopLeftover(record: string): Promise<void> {
  if (!existsSync(record)) return;
  const [pid, command] = readFileSync(record, 'utf8').split('\n');
  // The id may belong to another process by now. The title of a Redis names its port, too.
  if (command !== '' && commandLine(Number(pid)) === command) await stopProcess(Number(pid), STOP);
  rmSync(record);
}

function listening(port: number, tls: RedisTls | undefined): string[] {
  return tls === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port), ...tls.args];
}

function launch(binary: RedisBinary, dir: string, more: readonly string[]): ChildProcess {
  const args = ['--bind', HOST, '--save', '', '--appendonly', 'no', '--dir', dir, ...more];
  const output = openSync(join(dir, 'redis.log'), 'w');
  try {
    // Detached, since Ctrl-C signals the whole group of the terminal. This process decides itself when Redis stops.
    return spawn(binary.file, args, { argv0: binary.argv0, detached: true, stdio: ['ignore', output, output] });
  } finally {
    closeSync(output);
  }
}

async function ready(child: ChildProcess, port: number, tls: RedisTls | undefined): Promise<string | null> {
  let failure: string | null = null;
  child.once('error', (error) => {
    failure = error.message;
  });
  const client = new Redis({
    host: HOST,
    port,
    ...(tls === undefined ? {} : { tls: tls.client }),
    lazyConnect: true,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  // Connections are refused until it listens.
  client.on('error', () => {});
  let processId = '';
  client
    .info('server')
    .then((info) => {
      processId = /^process_id:(\d+)/m.exec(info)?.[1] ?? '';
    })
    .catch((error: Error) => {
      failure ??= error.message;
    });
  try {
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    // Another Redis may answer at this port while ours fails to get it.
    const isOurs = () => processId === String(child.pid);
    if (await comesTrue(() => failure !== null || hasEnded() || isOurs(), START_DEADLINE_MS, 10)) {
      if (failure !== null) return failure;
      return hasEnded() ? await exited(child) : null;
    }
    child.kill('SIGKILL');
    return `not ready after ${START_DEADLINE_MS / 1000} s`;
  } finally {
    client.disconnect();
  }
}

function service(
  child: ChildProcess,
  pid: number,
  port: number,
  record: string,
  temporary: string | null,
  guard: Guard | null,
  tls: RedisTls | undefined,
): RedisService {
  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    await stopProcess(pid, STOP);
    await exited(child);
    await guard?.release();
    rmSync(record, { force: true });
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
  }
  return {
    url: `${tls === undefined ? 'redis' : 'rediss'}://${HOST}:${port}`,
    port,
    pid,
    kill: (signal) => void child.kill(signal),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
