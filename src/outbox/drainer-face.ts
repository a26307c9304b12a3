/** What waits for the domain of a process. */
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
  /** What waited when it last looked; `null` until it has. */
  status(): OutboxStatus | null;
  /** Why this process uses nothing of what Redis holds; `null` when it does, or when that is not known yet. */
  refused(): string | null;
  /** What the last round came to grief at; `null` when it went well. */
  problem(): Error | null;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

/** Where there is no outbox, and none is needed. */
export const NO_DRAINER: Drainer = {
  status: () => null,
  refused: () => null,
  problem: () => null,
  stop: async () => {},
};
