import { Redis } from 'ioredis';
import { t } from 'tap';
import type { Body } from '../../src/cache/entry.ts';
import { systemClock } from '../../src/clock.ts';
import { type AuditSource, createSelfAudit } from '../../src/outbox/self-audit.ts';
import { type Audit, openChannels } from '../../src/trace/channels.ts';
import { globalId, makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** A channel for audits, and what they find. */
function findings() {
  const found: Audit[] = [];
  const { audit: channel } = openChannels();
  channel.subscribe((audit) => found.push(audit));
  return { channel, found };
}

t.test('what an audit makes of what it sees', async (t) => {
  const body = (version: string, name = 'x'): Body => ({ version, entity: { id: '1', name } });
  const dated = (time: number): Body => ({ version: '1', entity: { id: '1', at: [new Date(time)] } });
  const cases: [string, boolean, { served: Body | null; rows: (Body | null)[]; answer?: Body | null }][] = [
    ['the row is as served', true, { served: body('1'), rows: [body('1')] }],
    [
      'the row is as served, which caches hold in another form, and from a list',
      true,
      { served: { ...body('1'), isForLists: true }, rows: [{ ...body('1'), stored: { id: '1' } } as Body] },
    ],
    ['nothing is there, as served', true, { served: null, rows: [null] }],
    ['the row was written, and reads got it', true, { served: body('1'), rows: [body('2')], answer: body('2') }],
    [
      'the row was written, and never got',
      false,
      { served: body('1'), rows: [body('2'), body('2')], answer: body('1') },
    ],
    ['the row was deleted, and still is served', false, { served: body('1'), rows: [null, null], answer: body('1') }],
    ['the row was made, and never got', false, { served: null, rows: [body('1'), body('1')], answer: null }],
    ['the row was made, and deleted again', true, { served: null, rows: [body('1'), null], answer: null }],
    ['no time, as served', true, { served: dated(Number.NaN), rows: [dated(Number.NaN)] }],
    ['another time', false, { served: dated(0), rows: [dated(Number.NaN)] }],
    ['of the very version, with other content', false, { served: body('1', 'y'), rows: [body('1')] }],
  ];
  for (const [what, consistent, { served, rows, answer }] of cases) {
    await t.test(what, async (t) => {
      const { channel, found } = findings();
      const audit = createSelfAudit({
        channel,
        rate: 1,
        maxStalenessMs: 1,
        clock: systemClock,
        onError: (error) => t.fail(error.message),
      });
      const left = [...rows];
      const source: AuditSource = {
        row: async () => left.shift() ?? null,
        answer: async () => answer ?? null,
      };
      audit.sample('Thing', ['1'], [served], 1, source);
      await until('the audit', async () => found.length === 1);
      t.same(found, [{ entity: 'Thing', consistent }]);
    });
  }
});

t.test('how much is audited', async (t) => {
  const asked = async (rate: number, hits: number, times: number) => {
    let rows = 0;
    const { channel, found } = findings();
    const audit = createSelfAudit({ rate, maxStalenessMs: 1, clock: systemClock, channel, onError: () => {} });
    const source: AuditSource = {
      row: async () => {
        rows += 1;
        return null;
      },
      answer: async () => null,
    };
    for (let i = 0; i < times; i += 1) audit.sample('Thing', ['1'], [null], hits, source);
    await until('what was picked', async () => found.length === Math.min(times * Math.min(1, rate * hits), 100));
    audit.close();
    return rows;
  };
  t.equal(await asked(0, 1, 1000), 0, 'nothing at the rate of 0');
  t.equal(await asked(1, 0, 1000), 0, 'nothing that was no hit');
  t.equal(await asked(0.5, 2, 10), 10, 'each hit counts');
  t.equal(await asked(1, 1, 1000), 100, 'at most a hundred at a time');
});

t.test('an audit that cannot look, or is given up, finds nothing', async (t) => {
  const { channel, found } = findings();
  const errors: string[] = [];
  const onError = (error: Error) => errors.push(error.message);
  const failing: AuditSource = {
    row: async () => {
      throw new Error('away');
    },
    answer: async () => null,
  };
  createSelfAudit({ rate: 1, maxStalenessMs: 1, clock: systemClock, channel, onError }).sample(
    'Thing',
    ['1'],
    [null],
    1,
    failing,
  );
  await until('the error', async () => errors.length === 1);
  const audit = createSelfAudit({ rate: 1, maxStalenessMs: 60_000, clock: systemClock, channel, onError });
  audit.sample('Thing', ['1'], [null], 1, failing);
  audit.close();
  await new Promise((resolve) => setImmediate(resolve));
  t.same([found, errors], [[], ['away']]);
});

t.test('a server tells of a change that it could not hear of, and of no other', async (t) => {
  const env = { SELF_AUDIT_RATE: '1', MAX_STALENESS_MS: '2000', MEMORY_TTL_MS: '100' };
  const server = await startServer(t, { env });
  await makeData(server.sql, { brands: 2, campaigns: 1, events: 1, perCampaign: 1 });
  await server.database.drained();
  const seen = async () => {
    const metrics = await (await fetch(server.metricsUrl)).text();
    return /^larder_inconsistent_total\{entity="Brand"\} [1-9]/m.test(metrics);
  };
  const names = async (id: number) =>
    (await server.ask<{ brand: { name: string } }>(`{ brand(id: "${globalId('Brand', id)}") { name } }`)).brand.name;
  const inRedis = async (key: string) => {
    const client = new Redis(server.redis.url);
    try {
      return (await client.exists(key)) === 1;
    } finally {
      client.disconnect();
    }
  };
  // An event has times, which caches hold in another form.
  const event = () => server.ask(`{ event(id: "${globalId('Event', 1)}") { startsAt } }`);
  await until('an event was audited', async () => {
    await event();
    const metrics = await (await fetch(server.metricsUrl)).text();
    return /^larder_audits_total\{entity="Event"\} [1-9]/m.test(metrics);
  });
  for (const id of [1, 2]) {
    // A read that Redis is too slow for leaves nothing there; the next one may.
    await until('Redis has it', async () => {
      await names(id);
      return inRedis(`Brand-${id}`);
    });
    await names(id);
  }
  await server.sql`update brands set name = 'heard of' where id = 1`;
  // The triggers do not fire, as when somebody restores a dump.
  await server.sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update brands set name = 'unheard of' where id = 2`;
  });
  await until(
    'an audit that saw it',
    async () => {
      // Each answer is audited; where Redis is too slow for one, Postgres gives the right one.
      await names(2);
      return seen();
    },
    120,
  );
  await until('the other change is heard of', async () => (await names(1)) === 'heard of');
  const metrics = await (await fetch(server.metricsUrl)).text();
  t.match(metrics, /^larder_inconsistent_total\{entity="Brand"\} [1-9]\d*$/m);
  t.match(metrics, /^larder_inconsistent_total\{entity="Event"\} 0$/m);
});
