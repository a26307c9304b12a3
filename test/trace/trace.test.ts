import { t } from 'tap';
import { openChannels, type RedisExchange, type SqlExchange } from '../../src/trace/channels.ts';
import { Trace } from '../../src/trace/trace.ts';

/** A request that asks each store once, and fails once with each. */
function work(trace: Trace): void {
  const now = performance.now();
  trace.statement('Thing.byIds', 'select 1', ['{"1"}'], now, 3);
  trace.statement('Thing.all', 'select 2', [], now - 50, null);
  trace.roundTrip('MGET', ['a', 'b', 'c', 'd'], now, { commands: 1, hits: 3 });
  trace.roundTrip('SET', ['a', 'b'], now, null);
}

t.test('a trace counts', async (t) => {
  const trace = new Trace();
  work(trace);
  t.match(trace.sql, { statements: 2, rows: 3 });
  t.match(trace.redis, { commands: 1 });
  t.equal(trace.slowest.name, 'Thing.all');
  t.ok(trace.slowest.ms >= 50);
  t.equal(trace.events, null, 'and keeps nothing else');
  trace.entity('Thing').hits += 1;
  t.equal(trace.cache.Thing?.hits, 1);
});

t.test('a trace that records keeps each exchange', async (t) => {
  const trace = new Trace({ recording: true, started: 7 });
  work(trace);
  t.equal(trace.started, 7);
  t.match(trace.events, [
    { kind: 'sql', name: 'Thing.byIds', failed: false, rows: 3, text: 'select 1', parameters: ['{"1"}'] },
    { kind: 'sql', name: 'Thing.all', failed: true, rows: 0 },
    { kind: 'redis', name: 'MGET', failed: false, keys: ['a', 'b', 'c', 'd'], commands: 1, hits: 3 },
    { kind: 'redis', name: 'SET', failed: true, keys: ['a', 'b'], commands: 0, hits: null },
  ]);
});

t.test('the channels', async (t) => {
  t.test('tell each listener until it leaves', async (t) => {
    const channels = openChannels();
    const heard: (SqlExchange | RedisExchange)[] = [];
    t.notOk(channels.sql.hasSubscribers || channels.redis.hasSubscribers, 'nobody listens, and no message is made');
    const leave = channels.sql.subscribe((event) => heard.push(event));
    const leaveOther = channels.redis.subscribe((event) => heard.push(event));
    t.ok(channels.sql.hasSubscribers && channels.redis.hasSubscribers);
    const trace = new Trace({ recording: true, channels });
    work(trace);
    t.same(heard, trace.events, 'what is recorded is what is told');
    leave();
    work(new Trace({ channels }));
    t.equal(heard.filter(({ kind }) => kind === 'sql').length, 2);
    leaveOther();
    t.notOk(channels.sql.hasSubscribers || channels.redis.hasSubscribers);
  });

  t.test('of one Larder tell of no other', async (t) => {
    const [own, other] = [openChannels(), openChannels()];
    const heard: SqlExchange[] = [];
    t.teardown(own.sql.subscribe((event) => heard.push(event)));
    t.notOk(other.sql.hasSubscribers);
    work(new Trace({ channels: other }));
    work(Trace.ofAll([new Trace({ channels: other })]));
    work(new Trace());
    t.same(heard, []);
    work(Trace.ofAll([new Trace({ channels: own }), new Trace({ channels: own })]));
    t.match(heard, [{ name: 'Thing.byIds' }, { name: 'Thing.all' }]);
  });
});

t.test('when the time of several requests is over, it is over for each', (t) => {
  const [first, second, other] = [new Trace(), new Trace(), new Trace()];
  Trace.ofAll([first, second]).runOutOfTime();
  t.same(
    [first, second, other].map(({ outOfTime }) => outOfTime),
    [true, true, false],
  );
  t.end();
});
