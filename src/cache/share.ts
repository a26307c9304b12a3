/**
 * A process' share in a cache domain, with which it proves that it may certify bodies. A domain is one run of one Redis with one prefix.
 * The domain's token is rotated again and again, in Postgres first and then in Redis. So a process with an outdated copy of the database is
 * recognised.
 */
export interface Share {
  /** The run of Redis. */
  readonly run: string;
  /** Changes when an invalidation may have been missed. */
  readonly generation: string;
  /** The mark that Redis has to hold: the domain and its token. */
  readonly mark: string;
  /** The mark before that, which Redis may still hold. */
  readonly previousMark: string;
  /** Another mark that Redis may hold, because it was set back. */
  readonly acceptedMark?: string;
}

/** What Redis answered to a process that presented its share. */
export interface Presented {
  /** The run of Redis. */
  readonly run: string;
  /** The mark that Redis holds, of any domain; `null` when it holds none, or was not asked. */
  readonly held: string | null;
  /** Whether Redis belongs to the share's domain, as the token proves. */
  readonly accepted: boolean;
  /** The epoch that bodies which are read now name; `null` when Redis certifies none. */
  readonly epoch: string | null;
}
