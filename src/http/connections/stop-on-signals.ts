import type { FastifyBaseLogger } from 'fastify';
import { type Clock, systemClock } from '../../clock.ts';

/** What can be stopped without losing a request. */
export interface Stoppable {
  /** Lets clients and proxies go elsewhere, and goes on answering meanwhile. */
  drain(): Promise<void>;
  /** Answers what was accepted, then closes everything. */
  close(): Promise<void>;
}

/** How a process is stopped. */
export interface StopOptions {
  /** How long all of it may take, in milliseconds: what hangs then does not keep the process alive. */
  readonly atMostMs: number;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'error'>;
  readonly clock?: Clock;
}

/**
 * Ends the process by SIGTERM and SIGINT: requests under way are answered first.
 *
 * @param server what is stopped
 * @param options how
 */
export function stopOnSignals(server: Stoppable, { atMostMs, log, clock = systemClock }: StopOptions): void {
  const stop = (signal: NodeJS.Signals) => {
    clock.after(atMostMs, () => process.exit(1));
    log.info(`${signal}: answering what was accepted, then stopping`);
    server
      .drain()
      .then(() => server.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ reason: String(error) }, 'could not stop in order');
          process.exit(1);
        },
      );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
