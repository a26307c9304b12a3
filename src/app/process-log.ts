import { createRequire } from 'node:module';
import { format } from 'node:util';
import { type Logger, pino } from 'pino';

/** What makes lines for people. It is a development package: a server that was installed without those goes on without it. */
const PRETTY = 'pino-pretty';

/**
 * @param level the lowest level that is written
 * @param production whether lines are JSON, for programs; otherwise they are for people, where pino-pretty is installed
 * @returns the log of the process
 */
export function createLogger(level: string, production: boolean): Logger {
  return pino({ level, ...(production || !isInstalled(PRETTY) ? {} : { transport: { target: PRETTY } }) });
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Sends everything to the log: what libraries write to the console, Node's warnings, and the error that ends the process. A collector of
 * JSON lines cannot read any other line.
 *
 * @param log the log of the process
 */
export function logEverything(log: Logger): void {
  for (const [method, level] of Object.entries({ log: 'info', info: 'info', warn: 'warn', error: 'error' } as const)) {
    console[method as 'log'] = (...said: unknown[]) => log[level]({ source: 'console' }, format(...said));
  }
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn({ source: name }, message));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error that nobody caught ends the process');
    process.exit(1);
  });
}
