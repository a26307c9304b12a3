import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../compare.ts';
import type { Outcome } from '../load.ts';
import { nestedServer } from './nested-server.ts';
import type { Sent } from './sender.ts';

/** What a storm of attacks does to those who only ask: one figure a round, alone and during the storm in turn. */
export interface Storm {
  readonly connections: number;
  readonly alone: readonly Asked[];
  readonly during: readonly Asked[];
  readonly attacksPerSecond: readonly number[];
  /** Attacks that were answered like a question. */
  readonly answered: number;
}

/** How those did who ask. */
export type Asked = Pick<Outcome, 'perSecond' | 'p50' | 'p99' | 'errors'>;

/** The Redis database of this server. */
const REDIS = 29;

const SENDER = fileURLToPath(new URL('./sender.ts', import.meta.url));

/**
 * Lets Larder answer the nested query, with a storm of attacks and without one in turn.
 *
 * @param bench what to measure on
 * @returns how it did
 */
export async function measureStorm(bench: Bench): Promise<Storm> {
  const { mode, say } = bench;
  const { connections, seconds } = mode;
  const { server, ask } = await nestedServer(bench, 'storm', REDIS);
  try {
    const alone: Asked[] = [];
    const during: Asked[] = [];
    const attacksPerSecond: number[] = [];
    let answered = 0;
    // What answers questions is compiled before it is measured, and so is what refuses attacks.
    await ask(seconds);
    await underAttack(server.url, () => ask(seconds));
    for (let round = 1; round <= mode.rounds; round += 1) {
      const calm = await ask(seconds);
      const attacked = await underAttack(server.url, () => ask(seconds));
      alone.push(calm);
      during.push(attacked.outcome);
      attacksPerSecond.push(attacked.perSecond);
      answered += attacked.answered;
      say(`  ${round}  storm        p99 ${calm.p99.toFixed(1)} ms alone, ${attacked.outcome.p99.toFixed(1)} ms during`);
    }
    return { connections, alone, during, attacksPerSecond, answered };
  } finally {
    await server.stop();
  }
}

/** Does something while the server is attacked. */
async function underAttack<T>(url: string, action: () => Promise<T>) {
  const sender = fork(SENDER, [url], { execArgv: ['--import=tsx'] });
  const ended = once(sender, 'exit');
  /** The next message; what ends without one has failed. */
  const heard = async (): Promise<unknown> => {
    const [message] = await Promise.race([
      once(sender, 'message'),
      ended.then(([code]) => {
        throw new Error(`What sends the attacks ended with ${String(code)}.`);
      }),
    ]);
    return message;
  };
  try {
    await heard();
    const started = performance.now();
    const outcome = await action();
    const reply = heard();
    sender.send('stop');
    const { attacks, answered } = (await reply) as Sent;
    return { outcome, answered, perSecond: attacks / ((performance.now() - started) / 1000) };
  } finally {
    // It ends by itself when nobody listens any more.
    if (sender.connected) sender.disconnect();
    await ended;
  }
}
