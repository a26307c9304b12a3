import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import type { Test } from 'tap';
import { exited } from '../../../src/cli/services/process.ts';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';
import { outputOf } from '../../support/output-of.ts';
import { until } from '../../support/until.ts';

/** An error as it stands in a response. */
interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A response of `/graphql` and how long it took. */
export interface TimedAnswer<Data> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly ms: number;
  readonly data?: Data | null;
  readonly errors?: readonly AnswerError[];
  readonly extensions?: {
    readonly dataFetching?: {
      readonly cache: Record<string, Record<string, number>>;
      readonly events: readonly { readonly kind: string }[];
    };
  };
}

/** The real server in a process of its own, spoken to over HTTP. */
export interface LarderChild {
  readonly url: string;
  readonly pid: number;
  /** Everything that it wrote so far. */
  output(): string;
  /** Whether it still runs. */
  alive(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** How it ended, such as `exit code 0`. */
  readonly ended: Promise<string>;
  /** Sends a query and takes whatever comes back. */
  query<Data>(document: string, variables?: object, options?: RequestOptions): Promise<TimedAnswer<Data>>;
  /** Sends a query that must succeed, and answers its data. */
  ask<Data>(document: string, variables?: object, options?: RequestOptions): Promise<Data>;
  /** Gets a path, such as `/readyz`. */
  get(path: string): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;
}

/** How a request is sent. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

/** Settings for what has nothing to do with Postgres: on a machine that does other things, too, it may take a while. */
export const PATIENT = { STATEMENT_TIMEOUT_MS: '30000', REQUEST_TIMEOUT_MS: '60000' };

/** Settings that make faults show and pass quickly. */
export const QUICK = { STATEMENT_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '4000' };

/**
 * Starts `src/main.ts` as a process, on free ports, and kills it when the test ends.
 *
 * @param t the test that it is for
 * @param env its variables; of our own it gets PATH alone
 * @returns the server, which listens
 */
export async function startLarder(t: Test, env: Readonly<Record<string, string>>): Promise<LarderChild> {
  const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
    cwd: REPOSITORY,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      INSPECT: 'always',
      PORT: '0',
      SHUTDOWN_DELAY_MS: '0',
      // A machine that does much else lags.
      MAX_EVENT_LOOP_DELAY_MS: '0',
      METRICS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = outputOf(child);
  const ended = exited(child);
  const agent = new Agent({ keepAlive: true });
  t.teardown(async () => {
    agent.destroy();
    child.kill('SIGKILL');
    await ended;
  });
  const alive = () => child.exitCode === null && child.signalCode === null;
  const address = () => /Server listening at (http:\/\/[\d.]+:\d+)/.exec(output())?.[1];
  await until('the server listens', async () => {
    if (!alive()) throw new Error(`The server ended before it listened:\n${output()}`);
    return address() !== undefined;
  });
  const url = address() as string;
  const send = (path: string, body: string | null, options: RequestOptions) =>
    new Promise<{ status: number; headers: TimedAnswer<never>['headers']; text: string }>((resolve, reject) => {
      const headers = { ...(body === null ? {} : { 'content-type': 'application/json' }), ...options.headers };
      const method = body === null ? 'GET' : 'POST';
      const sent = request(`${url}${path}`, { method, headers, agent: options.agent ?? agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.once('error', reject);
      sent.end(body ?? undefined);
    });
  const query = async <Data>(document: string, variables: object = {}, options: RequestOptions = {}) => {
    const started = performance.now();
    const { status, headers, text } = await send('/graphql', JSON.stringify({ query: document, variables }), options);
    const answer = JSON.parse(text) as Pick<TimedAnswer<Data>, 'data' | 'errors' | 'extensions'>;
    return { status, headers, ms: performance.now() - started, ...answer };
  };
  return {
    url,
    pid: child.pid as number,
    output,
    alive,
    kill: (signal) => void child.kill(signal),
    ended,
    query,
    ask: async <Data>(document: string, variables?: object, options?: RequestOptions) => {
      const answer = await query<Data>(document, variables, options);
      if (answer.errors !== undefined || answer.data == null) {
        throw new Error(
          `Expected data without errors, got ${answer.status} ${JSON.stringify(answer)}\nfor ${document}`,
        );
      }
      return answer.data;
    },
    get: async (path) => {
      const { status, text } = await send(path, null, {});
      return { status, body: JSON.parse(text) as Record<string, unknown> };
    },
  };
}
