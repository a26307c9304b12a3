import { assemble } from './assemble.ts';
import { systemClock } from './clock.ts';
import { ConfigError, readConfig } from './config.ts';

try {
  const config = readConfig(process.env);
  const larder = await assemble(config);
  const { shutdownDelayMs, shutdownTimeoutMs } = config.http;
  const stop = (signal: NodeJS.Signals) => {
    // Requests under way are answered; what hangs does not keep the process alive.
    systemClock.after(shutdownDelayMs + shutdownTimeoutMs, () => process.exit(1));
    process.stderr.write(`${signal}: answering what was accepted, then stopping.\n`);
    larder
      .drain()
      .then(() => larder.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`Could not stop in order: ${String(error)}\n`);
          process.exit(1);
        },
      );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
}
