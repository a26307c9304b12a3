import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrateDatabase } from '../app/migrate.ts';
import { parseWholeNumber, runCommand } from '../commands/command.ts';
import { MigrationError } from '../migrate/index.ts';
import { type Judge, startJudge } from './cluster/judge.ts';
import { type LarderServer, larderServer } from './cluster/larders.ts';
import { startLoadBalancer } from './cluster/load-balancer.ts';
import { startStores, type Victim } from './cluster/stores.ts';
import { seedDatabase } from './seed.ts';
import type { Teardown } from './services/local.ts';
import { findFreePort } from './services/port.ts';
import { ServiceError } from './services/service-error.ts';
import { listenForStop, type StopSignals, untilStopped } from './stop-signals.ts';

const help = `Starts what a large Larder has, kills one of each while a judge reads, and says what the judge has seen.

  make cluster
  npm run cluster -- [--seconds N] [--once]

  --seconds N  how long the judge reads after each death, 10 by default
  --once       end when each has been killed once, with 1 when an answer was wrong

It starts three Redis masters with a replica each, a Postgres with two streaming replicas, and four servers behind HAProxy at PORT (4000), or
the next port that is free. HAProxy comes from PATH or, as root, from Debian. The judge changes rows as psql would, and reads them by id and in
lists: an answer that is older than it may be is wrong. Nothing is kept. Without --once it goes on until Ctrl-C.
`;

const HOST = '127.0.0.1';
const SERVERS = 4;
const SAMPLE = { campaigns: 200, events: 1000, seed: 1 };
const MAX_STALENESS_MS = 5000;
const MAX_REPLICA_LAG_MS = 1000;

/** How many answers there must be while somebody can give them, however slow the machine is. */
const LEAST_READS = 50;

const say = (line: string) => console.log(line);

/** What was wrong of all that the judge has seen. */
const wrong: string[] = [];

async function cluster(teardown: Teardown, { seconds, once }: { seconds: number; once: boolean }): Promise<void> {
  const signals = listenForStop(say);
  const directory = mkdtempSync(join(tmpdir(), 'larder-cluster-'));
  teardown.push(() => rmSync(directory, { recursive: true, force: true }));
  const stores = await startStores(say, teardown, signals.proceed);
  await migrateDatabase(stores.databaseUrl);
  await seedDatabase({ url: stores.databaseUrl, ...SAMPLE });
  signals.proceed();
  const ports = await freePorts(Number(process.env.PORT || 4000));
  const [port = 0, statsPort = 0, ...others] = ports;
  const env = {
    DATABASE_URL: stores.databaseUrl,
    DATABASE_REPLICA_URLS: stores.replicaUrls.join(','),
    REDIS_URL: stores.redisUrl,
    MAX_STALENESS_MS: String(MAX_STALENESS_MS),
    MAX_REPLICA_LAG_MS: String(MAX_REPLICA_LAG_MS),
    GRAPHIQL: 'true',
    INSPECT: 'always',
    INTROSPECTION: 'on',
    LOG_LEVEL: 'warn',
  };
  const servers = others.map((at, i) => larderServer(`larder-${i + 1}`, at, directory, env));
  for (const server of servers) teardown.push(() => server.stop());
  await Promise.all(servers.map((server) => server.start()));
  for (const { name, url, log } of servers) say(`Larder    ${name}  ${url}  its log: ${log}`);
  signals.proceed();
  teardown.push(await startLoadBalancer(servers, port, statsPort, directory));
  const url = `http://${HOST}:${port}`;
  say(`HAProxy   what it does: http://${HOST}:${statsPort}/`);
  say(`\nGraphiQL, at any of the servers: ${url}/graphiql\n`);
  const judge = await startJudge(url, stores.databaseUrl, { byId: MAX_STALENESS_MS, listed: MAX_REPLICA_LAG_MS });
  teardown.push(() => judge.stop());
  const watch = (what: string, least = LEAST_READS) => judged(judge, what, { seconds, least }, signals);
  await watch('all are well');
  for (const { what, alone, kill, start } of [victimOf(servers), ...stores.victims]) {
    await kill();
    await watch(`${what} was killed`, alone ? 0 : LEAST_READS);
    await start();
    await watch(`${what} comes back`);
  }
  if (once) return;
  say('\nThe judge reads on. Ctrl-C stops everything.');
  for (;;) await watch('and since');
}

function victimOf(servers: readonly LarderServer[]): Victim {
  const victim = servers.at(-1);
  if (victim === undefined) throw new ServiceError('There is no server.');
  return { what: victim.name, alone: false, kill: victim.kill, start: victim.start };
}

/** Lets the judge read for a while, and until it has been answered so often, and says what it has seen. */
async function judged(
  judge: Judge,
  what: string,
  { seconds, least }: { readonly seconds: number; readonly least: number },
  signals: StopSignals,
): Promise<void> {
  await Promise.race([sleep(seconds * 1000), signals.received]);
  while (judge.answered < least) {
    signals.proceed();
    await sleep(100);
  }
  const seen = judge.verdict();
  const ms = seen.ms.sort((a, b) => a - b);
  const p99 = ms[Math.floor(ms.length * 0.99)] ?? 0;
  const counts = `${seen.answered} reads, ${seen.wrong.length} wrong, ${seen.lost.length} lost, ${seen.unavailable} told to come again`;
  say(`${what.padEnd(36)}${counts}, p99 ${p99.toFixed(0)} ms`);
  for (const line of [...seen.wrong, ...seen.lost].slice(0, 3)) say(`  ${line}`);
  wrong.push(...seen.wrong);
  signals.proceed();
}

/** Ports for HAProxy, its page, and the servers. */
async function freePorts(preferred: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < SERVERS + 2) ports.push(await findFreePort(HOST, preferred + ports.length, ports));
  return ports;
}

await runCommand({
  help,
  options: { seconds: { type: 'string', default: '10' }, once: { type: 'boolean', default: false } },
  errors: [ServiceError, MigrationError],
  async run(values) {
    const seconds = parseWholeNumber('seconds', values.seconds, 1);
    await untilStopped((teardown) => cluster(teardown, { seconds, once: values.once }));
    if (wrong.length > 0) process.exitCode = 1;
  },
});
process.exit();
