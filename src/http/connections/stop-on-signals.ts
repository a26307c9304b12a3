import type { FastifyBaseLogger } from 'fastify';
import { type Clock, systemClock } from '../../clock.ts';

/** Something that can stop without losing a request. */
export interface Stoppable {
  /** Tells clients and proxies to go elsewhere, and goes on answering meanwhile. */
  drain(): Promise<void>;
  /** Answers what was accepted, then closes everything. */
  close(): Promise<void>;
}

/** How a process is stopped. */
export interface StopOptions {
  /** How long all of it may take, in milliseconds. After that, the process ends even if something hangs. */
  readonly atMostMs: number;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'error'>;
  readonly clock?: Clock;
}

/**
 * Ends the process on SIGTERM and SIGINT, after requests under way are answered.
 *
 * @param server the server to stop
 * @param options how long it may take, and the log
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
