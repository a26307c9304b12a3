import type { Teardown } from './services/local.ts';

/** Somebody asked the process to stop while it was starting. */
class Interrupted extends Error {
  override name = 'Interrupted';
}

/** How a process that starts things learns that it should stop. */
export interface StopSignals {
  /**
   * To be called between the steps of a start.
   *
   * @throws {Interrupted} when the process was told to stop
   */
  proceed(): void;
  /** Settles when the signal comes. */
  readonly received: Promise<void>;
}

/**
 * Listens for Ctrl-C and the like. The first signal asks for an orderly stop. The second ends the process at once, and the guards stop its
 * services.
 *
 * @param say receives a line for the reader
 * @returns reports the signal
 */
export function listenForStop(say: (line: string) => void): StopSignals {
  let stopping = false;
  const received = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(1);
        stopping = true;
        say(`\n${signal}: stopping what was started …`);
        resolve();
      });
    }
  });
  return {
    received,
    proceed() {
      if (stopping) throw new Interrupted('told to stop');
    },
  };
}

/**
 * Does something until it ends or is interrupted, and then stops what it started.
 *
 * @param work is given the list to which it adds what stops each thing that it starts
 * @throws what `work` throws, unless it was told to stop
 * @throws {AggregateError} the errors of the things that failed to stop
 */
export async function untilStopped(work: (teardown: Teardown) => Promise<void>): Promise<void> {
  const teardown: Teardown = [];
  try {
    await work(teardown);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    await stopAll(teardown);
  }
}

/** Stops everything, the last thing started first. One that fails to stop does not keep the others from stopping. */
async function stopAll(teardown: Teardown): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of teardown.splice(0).reverse()) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
}
