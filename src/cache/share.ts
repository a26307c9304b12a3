/**
 * A process' part in a cache domain, which is one run of one Redis with one prefix: what it must prove to vouch for bodies.
 * The token of the domain is turned over again and again, in Postgres first and then here, so that whoever has an outdated copy of the
 * database is found out.
 */
export interface Share {
  /** The run of Redis. */
  readonly run: string;
  /** Begins anew when something may have been missed. */
  readonly generation: string;
  /** What Redis is to hold: the domain and its token. */
  readonly mark: string;
  /** What it may have held before. */
  readonly previousMark: string;
  /** What else it may hold, since it was set back. */
  readonly acceptedMark?: string;
}

/** What Redis said to a process that presented its share. */
export interface Presented {
  /** Which run of Redis it is. */
  readonly run: string;
  /** What it holds of whichever domain; `null` when it holds nothing, or was not asked. */
  readonly held: string | null;
  /** Whether it is the share's domain, as the token shows. */
  readonly accepted: boolean;
  /** What bodies that are read now name; `null` when it vouches for none. */
  readonly epoch: string | null;
}
