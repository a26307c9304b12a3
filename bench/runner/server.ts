import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../src/cli/services/port.ts';
import { exited, guardProcess, stopProcess } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { type Cores, pinned } from './machine.ts';
import type { Peer } from './peers.ts';
import type { Request } from './queries.ts';

/** A server of a peer, in a process of its own. */
export interface Server {
  readonly peer: Peer;
  readonly url: string;
  readonly pid: number;
  /** Sends one request. */
  ask(request: Request): Promise<unknown>;
  /** Stops its clock, so that it takes no time from the one that is measured. */
  pause(): void;
  /** Lets it run again, and waits until it answers. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Where a server finds its stores. */
export interface Addresses {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

const HOST = '127.0.0.1';
/**
 * How long bodies are kept in Redis. A server works for seconds and then stands still for minutes, while others have their turns: with
 * Larder's own default, what it had read would have expired each time.
 */
const CACHE_TTL_SECONDS = 3600;
const START_DEADLINE_MS = 30_000;
/** Ends the requests that only ask whether a server is there. */
const ANSWER_DEADLINE_MS = 30_000;

const PROBE = { after: null, campaign: '1', event: '1', title: '' };

/**
 * Starts a peer's server and waits until it answers.
 *
 * @param peer the peer
 * @param cores where it belongs
 * @param addresses its stores
 * @param more variables and flags of Node besides the peer's own
 * @returns the running server
 * @throws when it does not answer, with what it wrote
 */
export async function startServer(
  peer: Peer,
  cores: Cores | null,
  addresses: Addresses,
  more: { readonly env?: Readonly<Record<string, string>>; readonly flags?: readonly string[]; cwd?: string } = {},
): Promise<Server> {
  const port = await findFreePort(HOST);
  const [node = 'node', ...rest] = peer.command;
  const [program = 'node', ...args] = pinned(cores, [node, ...(more.flags ?? []), ...rest]);
  const child = spawn(program, args, {
    cwd: more.cwd ?? REPOSITORY,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      DATABASE_URL: addresses.databaseUrl,
      REDIS_URL: addresses.redisUrl,
      PORT: String(port),
      // Nobody asks for them: any port that is free.
      METRICS_PORT: '0',
      CACHE_TTL_SECONDS: String(CACHE_TTL_SECONDS),
      ...peer.env,
      ...more.env,
    },
    // Not of the terminal's group: Ctrl-C is the runner's to answer.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-4000);
    });
  }
  const { pid } = child;
  if (pid === undefined) throw new Error(`${peer.name} could not be started: is ${program} on PATH?`);
  const guard = guardProcess(pid, null);
  const url = `http://${HOST}:${port}`;
  const [query = 'nested'] = peer.only ?? peer.dialect.queries;
  const probe = peer.dialect.request(query, PROBE, new Map());

  const answering = async (deadlineMs: number): Promise<void> => {
    const deadline = performance.now() + deadlineMs;
    let last: unknown;
    while (performance.now() < deadline && child.exitCode === null) {
      try {
        peer.dialect.normalise(query, await ask(url, probe));
        return;
      } catch (error) {
        last = error;
        await sleep(50);
      }
    }
    throw new Error(`${peer.name} does not answer: ${String(last)}\n${said}`);
  };
  const stop = async () => {
    await stopProcess(pid, [
      ['SIGTERM', 5000],
      ['SIGKILL', 5000],
    ]);
    await exited(child);
    await guard.release();
  };
  try {
    await answering(START_DEADLINE_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    peer,
    url,
    pid,
    ask: (request) => ask(url, request),
    pause: () => process.kill(pid, 'SIGSTOP'),
    resume: async () => {
      process.kill(pid, 'SIGCONT');
      await answering(ANSWER_DEADLINE_MS);
    },
    stop,
  };
}

async function ask(url: string, { method, path, headers, body }: Request): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
