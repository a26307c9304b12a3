/** Where faults are told, as pino and Fastify's loggers have it. */
export interface LarderLogger {
  info(message: string): void;
  warn(details: object, message: string): void;
}

/**
 * Tells of another process that hangs, or was stopped.
 *
 * @param logger where; nowhere when it is left out
 * @returns takes the process, by its host and its id there, and whether it is waited for no more
 */
export function warnOfSilence(logger: LarderLogger | undefined): (process: string, silent: boolean) => void {
  return (process, silent) => {
    const message = silent
      ? 'a process does not acknowledge invalidations: mutations wait for it no more'
      : 'a process that did not acknowledge invalidations does so again, or is gone';
    logger?.warn({ process }, message);
  };
}
