import { t } from 'tap';
import { Importers } from '../../../src/cache/cluster/importers.ts';
import { openChannels, type RedisExchange } from '../../../src/trace/channels.ts';
import { Trace } from '../../../src/trace/trace.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { portForLater } from '../../support/port.ts';

t.test('a master that cannot be told is tried again for a second, at each move anew', async (t) => {
  const clock = manualClock();
  const address = `127.0.0.1:${await portForLater()}`;
  const told: string[] = [];
  const counted: RedisExchange[] = [];
  const channels = openChannels();
  channels.redis.subscribe((exchange) => counted.push(exchange));
  const place = { seeds: [], account: {}, reach: (given: { host: string; port: number }) => given };
  const importers = new Importers(place, '127.0.0.1', new Trace({ clock, channels }), (error) =>
    told.push(error.message),
  );
  const remove = () => importers.remove(new Map([[address, ['a']]]));
  const refused = { message: new RegExp(`^What changed cannot be removed at ${address}, .*ECONNREFUSED`) };
  for (const move of ['first', 'second']) {
    await t.rejects(remove(), refused, `${move} move: at once`);
    await clock.advance(999);
    await t.rejects(remove(), refused, `${move} move: within the second`);
    t.same(told, [], 'whoever is thrown at tells it');
    await clock.advance(1);
    await t.resolves(remove(), `${move} move: then it is taken for gone`);
    t.match(told, [/ECONNREFUSED.* It is not tried again\.$/]);
    told.length = 0;
    await clock.advance(3_600_000);
  }
  t.equal(counted.length, 6, 'each attempt is counted');
  for (const exchange of counted) t.match(exchange, { name: 'UNLINK', node: address, failed: true });
});
