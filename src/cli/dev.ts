import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { resolveSecrets } from '../app/config.ts';
import { runCommand } from '../commands/command.ts';
import { MigrationError } from '../migrate/index.ts';
import { checkEnvironment, serverEnvironment, WHERE_IT_RUNS } from './server-environment.ts';
import { startLocalServices, type Teardown } from './services/local.ts';
import { exited, guardProcess, stopGroup } from './services/process.ts';
import { ServiceError } from './services/service-error.ts';
import { REPOSITORY } from './services/state-directory.ts';
import { listenForStop, untilStopped } from './stop-signals.ts';

const help = `Starts everything that Larder needs, with sample data, and restarts the server at each change of a source file.

  make dev

${WHERE_IT_RUNS}`;

/** The server answers what it accepted before it ends. */
const GRACE_MS = 12_000;

const say = (line: string) => console.log(line);

async function develop(teardown: Teardown): Promise<void> {
  const given = resolveSecrets(process.env);
  checkEnvironment(given);
  const signals = listenForStop(say);
  const services = await startLocalServices(given, say, teardown, signals.proceed);
  const { env, notes } = await serverEnvironment({ ...given, LOG_LEVEL: given.LOG_LEVEL || 'info' }, services);
  for (const note of notes) say(note);
  say(`GraphiQL  http://${env.HOST || '127.0.0.1'}:${env.PORT}/graphiql`);
  const tsx = join(REPOSITORY, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const watcher = spawn(process.execPath, [tsx, 'watch', '--clear-screen=false', 'src/main.ts'], {
    cwd: REPOSITORY,
    env,
    // A group of its own, so that one signal ends the watcher and the server that it watches over.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const pid = watcher.pid;
  if (pid === undefined) throw new ServiceError(`Cannot start ${tsx}. Run \`npm ci\`.`);
  const guard = guardProcess(-pid, null);
  teardown.push(async () => {
    await stopGroup(watcher, GRACE_MS);
    await guard.release();
  });
  await Promise.race([signals.received, exited(watcher)]);
}

await runCommand({
  help,
  options: {},
  errors: [ServiceError, MigrationError],
  run: () => untilStopped(develop),
});
process.exit();
