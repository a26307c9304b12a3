import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { freshCluster } from '../support/redis-cluster.ts';
import { runCli } from '../support/run-cli.ts';
import { openServer } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const IDS = Array.from({ length: 30 }, (_, i) => i + 1);
const BY_ID = `{ nodes(ids: [${IDS.map((id) => `"${globalId('Brand', id)}"`).join(', ')}]) { ... on Brand { name } } }`;
const PREFIX = 'shop:';

const [cluster, database] = await Promise.all([freshCluster(t), freshDatabase(t)]);
const sql = openSql(t, database);
await sql`insert into brands (id, name) select n, 'before' from generate_series(1, 30) n`;
const stores = { DATABASE_URL: database.url, REDIS_URL: cluster.url, CACHE_PREFIX: PREFIX };
const run = async (command: 'cached' | 'forget', ...args: string[]) => {
  const { code, stdout, stderr } = await runCli(command, args, stores);
  t.equal(code, 0, stderr);
  return stdout;
};

/** The ids whose bodies a node has that answer by id, by the node's id in the cluster. */
async function held(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const master of cluster.masters) {
    const client = cluster.client(master);
    const epoch = await client.get(await cluster.heartbeatOf(master, PREFIX));
    const keys = await client.keys(`${PREFIX}Brand-*`);
    const texts = await Promise.all(keys.map((key) => client.get(key)));
    const good = keys.filter((_key, i) => epoch !== null && texts[i]?.includes(epoch));
    found.set(
      master.id,
      good.map((key) => key.slice(`${PREFIX}Brand-`.length)),
    );
  }
  return found;
}

t.test(
  'what a cluster has of an entity is found at the node that has it, and all nodes and processes forget',
  async (t) => {
    const env = { ...stores, MEMORY_TTL_MS: '3600000', MAX_STALENESS_MS: '7200000' };
    const inRedis = await openServer(t, { database, redis: null, env: { ...env, MEMORY_MAX_ENTRIES: '0' } });
    const servers = [inRedis, await openServer(t, { database, redis: null, env })];
    const names = async (server: (typeof servers)[number]) => {
      const { nodes } = await server.ask<{ nodes: { name: string }[] }>(BY_ID);
      return new Set(nodes.map(({ name }) => name));
    };
    const allSay = async (name: string) => {
      for (const server of servers) {
        const said = await names(server);
        if (said.size !== 1 || !said.has(name)) return false;
      }
      return true;
    };
    let all = new Map<string, string[]>();
    await until('all nodes have their bodies', async () => {
      await names(inRedis);
      all = await held();
      return [...all.values()].flat().length === IDS.length;
    });
    t.ok(await allSay('before'));

    for (const [node, [id]] of all) {
      t.type(id, 'string', `${node} has some`);
      await until(`what ${node} has is used`, async () =>
        /\ncached {4}version \d+, for \d+ s more\nby id {5}reads use it\nby list {3}reads use it\n$/.test(
          await run('cached', 'Brand', String(id)),
        ),
      );
    }
    t.match(await run('cached', 'Brand', '77'), /row {7}none\ncached {4}nothing/);

    // Past the triggers, so that nothing tells of it.
    await sql.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      await sql`update brands set name = 'after'`;
    });
    t.ok(await allSay('before'), 'nobody could notice');
    const [first] = cluster.masters;
    if (first === undefined) throw new Error('There is no node.');
    const strangers = await Promise.all(
      cluster.masters.map(async (master) => {
        for (let i = 0; ; i += 1) {
          const key = `${PREFIX}Stranger-${i}`;
          const set = await cluster
            .client(master)
            .set(key, 'stays')
            .catch(() => null);
          if (set !== null) return { master, key };
        }
      }),
    );
    t.match(
      await run('forget'),
      /^Removed 30 bodies from Redis\.\nTold all processes to forget .*\((\d+) cache domains\)\.\n$/,
    );
    await until('all read it again', () => allSay('after'));
    for (const { master, key } of strangers) {
      t.equal(await cluster.client(master).get(key), 'stays', 'what is of no entity stays');
    }
    await until('all nodes have bodies again', async () => {
      await names(inRedis);
      return [...(await held()).values()].flat().length === IDS.length;
    });
    for (const { url } of servers) {
      await until('it is ready', async () => (await (await fetch(`${url}/readyz`)).text()).includes('"ready"'));
    }
    t.ok(await allSay('after'));
  },
);
