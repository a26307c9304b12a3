import { assemble } from '../assemble.ts';
import { readConfig } from '../config.ts';
import { MigrationError } from '../db/migrate.ts';
import { runCommand } from './command.ts';
import { startLocalServices, type Teardown } from './services/local.ts';
import { findFreePort } from './services/port.ts';
import { ServiceError } from './services/service-error.ts';
import { NESTED_QUERY, QueryError, showQuery } from './show-query.ts';
import { Interrupted, listenForStop, stopAll } from './stop-signals.ts';

const help = `Starts everything that Larder needs, with sample data, and shows the nested query cold and warm.

  make demo

Takes Postgres from DATABASE_URL and Redis from REDIS_URL, else starts its own. The other variables of .env.example work,
too. Ctrl-C stops everything that was started.
`;

const PORT = 4000;
const METRICS_PORT = 9464;
const HOST = '127.0.0.1';

const say = (line: string) => console.log(line);

/** Starts everything, shows the nested query and stays until it is told to stop. */
async function demo(teardown: Teardown): Promise<void> {
  const started = performance.now();
  const signals = listenForStop(say);
  const services = await startLocalServices(process.env, say, teardown, signals.proceed);
  const larder = await startServer(process.env, services);
  teardown.push(() => larder.close());
  signals.proceed();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`
  GraphQL   ${larder.url}/graphql
  GraphiQL  ${larder.url}/graphiql
  Metrics   ${larder.metricsUrl}
${larder.notes.map((note) => `\n  ${note}`).join('')}
Serving after ${seconds} s. The same query twice, first on an empty cache:

  ${NESTED_QUERY}
`);
  for (const line of await showQuery(`${larder.url}/graphql`, NESTED_QUERY, ['cold', 'warm'])) say(`  ${line}`);
  say('\nCtrl-C stops the server and all that was started with it.');
  await signals.received;
}

async function startServer(env: NodeJS.ProcessEnv, services: Awaited<ReturnType<typeof startLocalServices>>) {
  const host = env.HOST || HOST;
  const metricsHost = env.METRICS_HOST || HOST;
  const wanted = Number(env.PORT || PORT);
  const wantedMetrics = Number(env.METRICS_PORT || METRICS_PORT);
  const port = await findFreePort(host, wanted);
  const metricsPort = await findFreePort(metricsHost, wantedMetrics, [port]);
  const config = readConfig({
    ...env,
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl ?? '',
    // A Redis that is not ours is not ours to empty: names of our own make the first query a cold one.
    CACHE_PREFIX: env.CACHE_PREFIX || (services.ownRedis ? '' : `demo-${process.pid}-${Date.now()}:`),
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    INSPECT: env.INSPECT || 'always',
    GRAPHIQL: env.GRAPHIQL || 'true',
    LOG_LEVEL: env.LOG_LEVEL || 'warn',
  });
  const notes = [
    ...(port === wanted || wanted === 0 ? [] : [`Port ${wanted} is taken: the server listens on ${port}.`]),
    ...(metricsPort === wantedMetrics || wantedMetrics === 0
      ? []
      : [`Port ${wantedMetrics} is taken: the metrics are on ${metricsPort}.`]),
  ];
  return { ...(await assemble(config)), notes };
}

await runCommand({
  help,
  options: {},
  errors: [ServiceError, MigrationError, QueryError],
  async run() {
    const teardown: Teardown = [];
    try {
      await demo(teardown);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      await stopAll(teardown);
    }
  },
});
// Something idle may still hold the event loop, such as the keep-alive connection of the query above.
process.exit();
