import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a machine on which much else runs: how fast it is is not what is being tested. */
const DEADLINE_SECONDS = 180;

/**
 * Waits until something is so, for what has no event to wait for.
 *
 * @param what what is waited for, for the message
 * @param condition tells whether it is so
 * @param seconds how long to wait at most; to be given only where waiting in vain is a result
 * @throws when it is not so in time
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = DEADLINE_SECONDS,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s in vain: ${what}`);
    await sleep(10);
  }
}
