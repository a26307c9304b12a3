import { join } from 'node:path';
import { REPOSITORY } from '../services/state-directory.ts';
import { type Program, startProgram } from './program.ts';

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
  let running: Program | null = null;
  const end = async (how: (program: Program) => Promise<void>) => {
    const program = running;
    running = null;
    if (program !== null) await how(program);
  };
  return {
    name,
    url,
    port,
    log,
    async start() {
      running = startProgram({
        name,
        command: process.execPath,
        args: ['--import=tsx', 'src/main.ts'],
        cwd: REPOSITORY,
        env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), METRICS_PORT: '0', ...env },
        log,
      });
      await running.ready(`${url}/readyz`, START_DEADLINE_MS);
    },
    kill: () => end((program) => program.kill()),
    stop: () => end((program) => program.stop(GRACE_MS)),
  };
}
