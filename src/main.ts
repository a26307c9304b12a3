import { assemble } from './app/assemble.ts';
import { readConfig } from './app/config.ts';
import { createLogger, logEverything } from './app/process-log.ts';
import { stopOnSignals } from './http/index.ts';
import { VERSION } from './index.ts';

const production = process.env.NODE_ENV === 'production';
/** The log of a process that has not read its settings yet. */
const early = production ? createLogger('info', production) : null;
if (early !== null) logEverything(early);

/** While the server starts, nothing is lost. The first process of a container hears no signal that it does not listen for. */
const leave = () => process.exit(0);
process.on('SIGTERM', leave).on('SIGINT', leave);

/** Says why the process ends, in the place where it will be read: the terminal or the log. */
function fail(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  if (early === null)
    process.stderr.write(
      `${error instanceof Error && !['ConfigError', 'WrongValue'].includes(error.name) ? error : reason}\n`,
    );
  else early.fatal({ reason }, 'the server does not start');
  process.exit(1);
}

try {
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel, config.production);
  if (config.production) logEverything(log);
  log.info({ version: VERSION, node: process.versions.node }, `Larder ${VERSION} starts`);
  const server = await assemble(config, log);
  const { shutdownDelayMs, shutdownTimeoutMs } = config.http;
  process.off('SIGTERM', leave).off('SIGINT', leave);
  stopOnSignals(server, { atMostMs: shutdownDelayMs + shutdownTimeoutMs, log });
} catch (error) {
  fail(error);
}
