import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exited, type Guard, guardProcess, stopGroup } from '../services/process.ts';
import { ServiceError } from '../services/service-error.ts';
import { REPOSITORY } from '../services/state-directory.ts';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 120_000;
const GRACE_MS = 15_000;

/** A server in a process of its own, which may be killed and started again. */
export interface LarderServer {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly log: string;
  /** Starts it, and waits until it is ready. */
  start(): Promise<void>;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/**
 * @param name what it is called
 * @param port where it listens
 * @param directory where its log goes
 * @param env its settings, without its port
 * @returns the server, which is not started
 */
export function larderServer(
  name: string,
  port: number,
  directory: string,
  env: Readonly<Record<string, string>>,
): LarderServer {
  const url = `http://${HOST}:${port}`;
  const log = join(directory, `${name}.log`);
  let running: { readonly child: ChildProcess; readonly guard: Guard } | null = null;
  const end = async (how: (child: ChildProcess) => Promise<unknown>) => {
    if (running === null) return;
    const { child, guard } = running;
    running = null;
    await how(child);
    await guard.release();
  };
  return {
    name,
    url,
    port,
    log,
    async start() {
      const output = openSync(log, 'a');
      const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
        cwd: REPOSITORY,
        env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), METRICS_PORT: '0', ...env },
        // A group of its own: Ctrl-C is ours to answer.
        detached: true,
        stdio: ['ignore', output, output],
      });
      closeSync(output);
      if (child.pid === undefined) throw new ServiceError(`${name} could not be started.`);
      running = { child, guard: guardProcess(-child.pid, null) };
      const deadline = performance.now() + START_DEADLINE_MS;
      while (!(await isReady(url))) {
        if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
          throw new ServiceError(`${name} did not start: see ${log}.`);
        }
        await sleep(100);
      }
    },
    kill: () =>
      end(async (child) => {
        child.kill('SIGKILL');
        await exited(child);
      }),
    stop: () => end((child) => stopGroup(child, GRACE_MS)),
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).status === 200;
  } catch {
    // Nobody listens yet.
    return false;
  }
}
