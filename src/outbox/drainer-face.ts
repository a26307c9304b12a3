/** What waits for the domain of a process; nothing, where it has none. */
export interface OutboxStatus {
  /** How many changes wait; counted no further than 10,000. */
  readonly depth: number;
  /** How long the oldest has waited, in milliseconds; 0 when none waits. */
  readonly ageMs: number;
  /** When that was so, in milliseconds on the monotonic clock. */
  readonly lookedAt: number;
}

/** A drainer at work. */
export interface Drainer {
  /** @returns what waited at the last look; `null` before the first */
  status(): OutboxStatus | null;
  /** @returns why this process uses nothing of what Redis holds; `null` when it does, or when that is not known yet */
  refused(): string | null;
  /** @returns the error that ended the last round; `null` when there was none */
  problem(): Error | null;
  /** Stops after the round under way. */
  stop(): Promise<void>;
}

/** The drainer where there is no outbox, and none is needed. */
export const NO_DRAINER: Drainer = {
  status: () => null,
  refused: () => null,
  problem: () => null,
  stop: async () => {},
};
