/** Where faults are logged. The loggers of pino and Fastify have this form. */
export interface LarderLogger {
  info(message: string): void;
  warn(details: object, message: string): void;
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
