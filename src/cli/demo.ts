import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { assemble } from '../app/assemble.ts';
import { readConfig, resolveSecrets } from '../app/config.ts';
import { NESTED_QUERY } from '../app/example-query.ts';
import { systemClock } from '../clock.ts';
import { runCommand } from '../commands/command.ts';
import { MigrationError } from '../migrate/index.ts';
import { buildPage } from './demo/build-page.ts';
import { invitation } from './demo/invitation.ts';
import { servePage } from './demo/page-plugin.ts';
import { demoToken } from './demo-token.ts';
import { checkEnvironment, type ServerEnvironment, serverEnvironment, WHERE_IT_RUNS } from './server-environment.ts';
import { ask } from './services/ask.ts';
import { comesTrue } from './services/comes-true.ts';
import { startLocalServices, type Teardown } from './services/local.ts';
import { ServiceError } from './services/service-error.ts';
import { QueryError, showQuery } from './show-query.ts';
import { listenForStop, untilStopped } from './stop-signals.ts';

const help = `Starts everything that Larder needs, with sample data, and shows the nested query cold and warm.

  make demo

${WHERE_IT_RUNS}`;

const DRAIN_DEADLINE_MS = 5000;

const say = (line: string) => console.log(line);

/** Starts everything, shows the nested query and stays until it is told to stop. */
async function demo(teardown: Teardown): Promise<void> {
  const resolved = resolveSecrets(process.env);
  const auth = demoToken(resolved);
  const { given, unheeded } = withoutLocks({ ...resolved, ...auth.env }, auth.token);
  checkEnvironment(given);
  const signals = listenForStop(say);
  // Both take a while, and neither needs the other.
  const building = Promise.allSettled([buildPage()]);
  const services = await startLocalServices(given, say, teardown, signals.proceed);
  const { env, notes } = await serverEnvironment(given, services);
  await warmUp(env, services.databaseUrl, auth.token);
  signals.proceed();
  const [built] = await building;
  if (built.status === 'rejected') throw built.reason;
  const page = { script: built.value, token: auth.token, databaseUrl: services.databaseUrl };
  const config = readConfig({ ...env, CACHE_PREFIX: env.CACHE_PREFIX || coldPrefix(services.ownRedis) });
  const larder = await assemble(config, undefined, undefined, (app) => servePage(app, page));
  teardown.push(() => larder.close());
  signals.proceed();
  for (const note of [...unheeded, ...notes]) say(note);
  // The time counts from the start of the process, because that is how long the reader has waited.
  say(`
Serving after ${(systemClock.now() / 1000).toFixed(1)} s. The same query twice, first on an empty cache:

  ${NESTED_QUERY}
`);
  for (const line of await showQuery(`${larder.url}/graphql`, NESTED_QUERY, ['cold', 'warm'], auth.token))
    say(`  ${line}`);
  for (const line of invitation({ ...larder, ...services, given, token: auth.token, inspect: config.inspect }))
    say(line);
  say('\nCtrl-C stops the server and all that was started with it.');
  await signals.received;
}

/** Turns off limits that would refuse the demo's own query. Its text is in no file of trusted documents, and it may have no token. */
function withoutLocks(env: Record<string, string | undefined>, token: string | null) {
  const given = { ...env };
  const unheeded: string[] = [];
  if (given.TRUSTED_DOCUMENTS === 'only') {
    given.TRUSTED_DOCUMENTS = 'on';
    unheeded.push('TRUSTED_DOCUMENTS=only is ignored here: GraphiQL and the query below send texts.');
  }
  if (given.REQUIRE_AUTH === 'true' && token === null) {
    given.REQUIRE_AUTH = 'false';
    unheeded.push('REQUIRE_AUTH=true is ignored here: the demo has no private key to make a token with.');
  }
  return { given, unheeded };
}

/**
 * Runs the query on a server with its own cache, which compiles the code. So the cold query differs from the warm one by the cache alone.
 */
async function warmUp(env: ServerEnvironment['env'], databaseUrl: string, token: string | null): Promise<void> {
  const larder = await assemble(readConfig({ ...env, CACHE_PREFIX: `demo-warm-up-${randomUUID()}:` }));
  try {
    await showQuery(`${larder.url}/graphql`, NESTED_QUERY, ['', ''], token);
    // The sample data was just written. Its invalidations must not come between the cold query and the warm one.
    const undrained = (sql: Sql) => sql`select 1 from cache_outbox limit 1`;
    await comesTrue(async () => !(await ask(databaseUrl, undrained)), DRAIN_DEADLINE_MS, 100);
  } finally {
    await larder.close();
  }
}

/** A prefix of its own makes the first query cold. The demo never empties a Redis that it did not start. */
function coldPrefix(ownRedis: boolean): string {
  return ownRedis ? '' : `demo-${randomUUID()}:`;
}

await runCommand({
  help,
  options: {},
  errors: [ServiceError, MigrationError, QueryError],
  run: () => untilStopped(demo),
});
// An idle keep-alive connection of the query above may still hold the event loop.
process.exit();
