/** Where faults are logged. The loggers of pino and Fastify have this form. */
export interface LarderLogger {
  info(message: string): void;
  warn(details: object, message: string): void;
}

/** What to do when this process may not use what Redis holds. */
const REFUSED_REMEDY =
  'Give this database a Redis or a prefix of its own. If it takes the place of the other, stop the servers of that and empty Redis (FLUSHDB, or delete all keys with the prefix).';

/**
 * Logs that Redis belongs to another database.
 *
 * @param logger the log; none when it is left out
 * @returns takes the reason, and `null` when Redis may be used again
 */
export function warnOfRefusal(logger: LarderLogger | undefined): (reason: string | null) => void {
  return (reason) => {
    if (reason === null) logger?.info('what Redis holds is used again');
    else logger?.warn({ reason, remedy: REFUSED_REMEDY }, 'nothing that Redis holds is used');
  };
}

/**
 * Logs that another process hangs, or was stopped.
 *
 * @param logger the log; none when it is left out
 * @returns takes the process, by its host and its process id, and whether it is no longer waited for
 */
export function warnOfSilence(logger: LarderLogger | undefined): (process: string, silent: boolean) => void {
  return (process, silent) => {
    const message = silent
      ? 'a process does not acknowledge invalidations: mutations wait for it no more'
      : 'a process that did not acknowledge invalidations does so again, or is gone';
    logger?.warn({ process }, message);
  };
}
