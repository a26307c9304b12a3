import type { Clock } from './clock.ts';

/** How long a fault that goes on is not told again, in milliseconds. */
const SILENCE_MS = 60_000;

/** How many faults are remembered. */
const MAX_KNOWN = 100;

/** What was told of a fault, and how often it came since. */
interface Told {
  at: number;
  repeats: number;
}

/**
 * Tells a fault once, and again each minute for as long as it goes on: a store that is away fails several times a second, and a log
 * that says so each time hides what else happens.
 *
 * @param clock the time
 * @param tell writes a line; `repeats` is how often the same came since the line before
 * @returns takes a fault by what it is about and its reason
 */
export function repeatFilter(
  clock: Clock,
  tell: (about: string, reason: string, repeats: number) => void,
): (about: string, reason: string) => void {
  const known = new Map<string, Told>();
  return (about, reason) => {
    const key = `${about}: ${reason}`;
    const told = known.get(key);
    if (told !== undefined && clock.now() - told.at < SILENCE_MS) {
      told.repeats += 1;
      return;
    }
    known.delete(key);
    const [oldest] = known.keys();
    if (known.size === MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    known.set(key, { at: clock.now(), repeats: 0 });
    tell(about, reason, told?.repeats ?? 0);
  };
}
