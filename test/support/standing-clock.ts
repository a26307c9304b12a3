import { type Clock, systemClock } from '../../src/clock.ts';

/**
 * Time that passes when the test says so, while timers run. However long the machine takes, nothing becomes too old. Between two looks it
 * passes just so much that they can be told apart.
 *
 * @returns the clock; `pass` moves it on, in milliseconds
 */
export function standingClock(): Clock & { pass(ms: number): void } {
  const { after, tick } = systemClock;
  let now = 1000;
  const pass = (ms: number) => {
    now += ms;
  };
  const look = () => {
    pass(0.001);
    return now;
  };
  return { after, tick, now: look, pass };
}
