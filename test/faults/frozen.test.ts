import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { ownPostgres, ownRedis } from '../support/own-stores.ts';
import { portForLater } from '../support/port.ts';
import { REDIS_PATIENCE_MS } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';
import { PATIENT, startLarder } from './support/larder.ts';

const BRAND = globalId('Brand', 1);
const RENAME = `mutation ($name: String!) { updateBrand(input: { id: "${BRAND}", name: $name }) { brand { name } } }`;
const MEMORY_TTL_MS = 1000;

t.test(
  'a process that is frozen holds up the mutations of others for a while, is named, and comes back right',
  async (t) => {
    const store = await ownPostgres(t);
    const redis = await ownRedis(t);
    await store.connect()`insert into brands (id, name) values (1, 'start')`;
    const settings = {
      DATABASE_URL: store.url,
      REDIS_URL: redis.url,
      JWT_SECRET,
      MEMORY_TTL_MS: String(MEMORY_TTL_MS),
      // A Redis that is given up is told nothing, and then nobody is waited for.
      REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS),
      ...PATIENT,
    };
    const METRICS_PORT = String(await portForLater());
    const writer = await startLarder(t, { ...settings, METRICS_PORT });
    const frozen = await startLarder(t, settings);
    const silent = async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text();
      return [...metrics.matchAll(/^larder_silent_processes\{process=".+:(\d+)"\} 1$/gm)].map(([, pid]) => Number(pid));
    };
    const rename = (name: string) => writer.query(RENAME, { name }, { headers: bearer() });
    const nameIn = async (server: typeof writer) =>
      (await server.ask<{ brand: { name: string } }>(`{ brand(id: "${BRAND}") { name } }`)).brand.name;
    t.equal((await rename('before')).status, 200);
    t.equal(await nameIn(frozen), 'before');

    frozen.kill('SIGSTOP');
    t.teardown(() => frozen.kill('SIGCONT'));
    let slow = 0;
    let renamed = 0;
    await until('mutations are quick again', async () => {
      renamed += 1;
      const isNamed = (await silent()).length > 0;
      const { ms } = await rename(`frozen ${renamed}`);
      // Once it is named nobody waits for it, and what takes long then is the machine.
      if (!isNamed && ms >= MEMORY_TTL_MS) slow += 1;
      return isNamed && ms < MEMORY_TTL_MS;
    });
    t.ok(slow >= 1 && slow <= 5, `${slow} mutations waited`);
    const lines = () => writer.output().match(/does not acknowledge invalidations/g)?.length ?? 0;
    t.equal(lines(), 1, 'the log says so once');
    t.match(writer.output(), new RegExp(`"process":"[^"]+:${frozen.pid}"`), 'and names it');

    t.same(await silent(), [frozen.pid], 'as a metric does');

    frozen.kill('SIGCONT');
    t.equal(await nameIn(frozen), `frozen ${renamed}`, 'it does not believe what it had in memory');
    for (let i = 0; i < 20; i += 1) {
      await rename(`after ${i}`);
      t.equal(await nameIn(frozen), `after ${i}`, 'and hears of what is written then');
    }
    await until('nobody is silent', async () => {
      await rename('at last');
      return (await silent()).length === 0;
    });
  },
);
