import { readFileSync } from 'node:fs';
import { type Test, t } from 'tap';
import { createLarder } from '../../../src/index.ts';
import { createAuthority } from '../../support/certificates.ts';
import { entities, makeTables } from '../../support/library.ts';
import { freshCluster } from '../../support/redis-cluster.ts';
import { freshDatabase, REDIS_PATIENCE_MS } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { reachableDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const IDS = Array.from({ length: 40 }, (_, i) => String(i + 1));

const directory = reachableDirectory(t);
const authority = await createAuthority(directory, 'authority');
const stranger = await createAuthority(directory, 'stranger');
const shown = authority.issue('redis', 'IP:127.0.0.1');
const client = authority.issue('client');
const [cluster, database] = await Promise.all([
  freshCluster(t, {
    tls: {
      args: ['--tls-cert-file', shown.cert, '--tls-key-file', shown.key, '--tls-ca-cert-file', authority.cert],
      client: { ca: readFileSync(authority.cert), cert: readFileSync(client.cert), key: readFileSync(client.key) },
    },
  }),
  freshDatabase(t),
]);
const sql = openSql(t, database);
await makeTables(sql);
await sql`insert into libraries (id, name) values (1, 'the only one')`;
await sql`insert into shelves (id, library_id, title) select n, 1, 'shelf ' || n from generate_series(1, 40) n`;

const ca = `ssl_ca_certs=${authority.cert}`;
const own = `ssl_certfile=${client.cert}&ssl_keyfile=${client.key}`;

async function open(t: Test, parameters: string, memoryMaxEntries = 0) {
  const said: string[] = [];
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: `${cluster.url}?${parameters}`, timeoutMs: REDIS_PATIENCE_MS },
    cache: { memoryMaxEntries },
    logger: { info: () => {}, warn: (details, message) => void said.push(`${message} ${JSON.stringify(details)}`) },
  });
  t.teardown(larder.close);
  const read = async () => {
    const context = larder.createContext();
    const shelves = await larder.repositories.Shelf.findByIds(IDS, context.scope);
    return { titles: shelves.map((shelf) => shelf?.title), statements: context.scope.trace.sql.statements };
  };
  return { larder, read, said };
}

t.test('all nodes are reached by their authority, and see a certificate', async (t) => {
  t.match(cluster.url, /^rediss\+cluster:/);
  const [one, other] = [await open(t, `${ca}&${own}`), await open(t, `${ca}&${own}`, 1000)];
  for (const { read } of [one, other]) {
    await until('all nodes answer by id', async () => (await read()).statements === 0);
  }
  for (const master of cluster.masters) {
    const keys = await cluster.client(master).keys('*');
    t.ok(keys.filter((key) => /^Shelf-\d+$/.test(key)).length > 0, 'it has bodies');
    t.equal(keys.filter((key) => key.startsWith('larder:heartbeat:') && key.endsWith(`:${master.id}`)).length, 1);
  }
  for (const id of IDS.slice(0, 12)) {
    await one.larder.repositories.Shelf.update(id, { title: `renamed ${id}` });
    t.equal((await other.read()).titles[IDS.indexOf(id)], `renamed ${id}`);
  }
  await sql`update shelves set title = 'by psql ' || id`;
  const byPsql = IDS.map((id) => `by psql ${id}`);
  for (const { read, larder } of [one, other]) {
    await until('it is seen', async () => (await read()).titles.every((title, i) => title === byPsql[i]));
    await until('all nodes answer by id again', async () => (await read()).statements === 0);
    t.same((await read()).titles, byPsql);
    // What took too long once is told until it is quick again.
    await until('nothing is wrong', () => larder.health.problems().length === 0);
    t.equal(await larder.health.redis(), true);
  }
});

t.test('where nodes are not known, or do not know the client, Postgres answers and it is said', async (t) => {
  const wrong: [string, string, RegExp][] = [
    ['another authority', `ssl_ca_certs=${stranger.cert}&${own}`, /Redis failed .*certificate/],
    ['no certificate of the client', ca, /Redis failed /],
  ];
  for (const [name, parameters, expected] of wrong) {
    const { larder, read, said } = await open(t, parameters);
    const { titles, statements } = await read();
    t.equal(titles.length, IDS.length);
    t.ok(titles.every((title) => title !== undefined));
    t.ok(statements > 0, `${name}: Postgres is asked`);
    await until('it is logged', () => said.some((line) => expected.test(line)));
    t.match(larder.health.problems(), ['No node of the Redis cluster answers.']);
    t.equal(await larder.health.redis(), false);
  }
});
