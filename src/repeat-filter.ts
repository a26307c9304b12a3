import type { Clock } from './clock.ts';

/** How long a continuing fault is not reported again, in milliseconds. */
const SILENCE_MS = 60_000;

/** How many faults are remembered. */
const MAX_KNOWN = 100;

/** When a fault was reported, and how often it came since. */
interface Told {
  at: number;
  repeats: number;
}

/**
 * Reports a fault once, and again each minute while it goes on. A store that is away fails several times a second, and a line for each
 * would hide other events.
 *
 * @param clock the time
 * @param tell writes a line; `repeats` is how often the same fault came since the line before
 * @returns takes a fault by its subject and its reason, and what is the same of it each time where its reason is not
 */
export function repeatFilter(
  clock: Clock,
  tell: (about: string, reason: string, repeats: number) => void,
): (about: string, reason: string, kind?: string | null) => void {
  const known = new Map<string, Told>();
  return (about, reason, kind = null) => {
    const key = `${about}: ${kind ?? reason}`;
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
