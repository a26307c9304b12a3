import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a machine on which much else runs: it is not what is being tested. */
const DEADLINE_MS = 40_000;

/**
 * Waits until something is so, for what has no event to wait for.
 *
 * @param what what is waited for, for the message
 * @param condition tells whether it is so
 * @throws when it is not so in time
 */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${DEADLINE_MS / 1000} s in vain: ${what}`);
    await sleep(10);
  }
}
