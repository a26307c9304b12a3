import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import { DEFAULTS, type LarderProcess } from '../../stage/process.ts';
import { setStage } from '../../stage/stage.ts';
import { openProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';
import { openReady, requested } from '../support/arrangements.ts';

const one = { entity: 'Campaign', id: '1' } as const;
const CHANNEL = 'larder:invalidations';
/** With the times that each test gives it, or the short ones that others have. */
const both = { name: 'memory before Redis', memory: true, redis: true, options: {} };

const byId = (process: LarderProcess) => requested((scope) => process.repositories.Campaign.findById('1', scope));

/** Reads until memory answers. */
async function inMemory(process: LarderProcess): Promise<void> {
  await until('memory answers', async () => (await byId(process)).counts.memoryHits === 1);
}

async function took(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

t.test('memory is not trusted while nobody tells this process what to forget', async (t) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  const writer = await openReady(stage, both);
  const reader = await openReady(stage, both, { parts: { busUrl: `redis://127.0.0.1:${proxy.port}` } });
  await inMemory(reader);
  // Port 1 refuses: the subscriber does not come back for now.
  proxy.target(1);
  proxy.cut();
  await until('it is noticed', async () => (await byId(reader)).counts.memoryHits === 0);
  for (let i = 0; i < 5; i += 1) {
    t.match((await byId(reader)).counts, { memoryHits: 0 });
    await stage.write(writer, { row: one });
    await stage.byId(reader, 'Campaign', ['1']);
  }
  const list = await requested((scope) =>
    reader.repositories.Campaign.findByRefs([{ id: '1', version: 'of no row' }], scope),
  );
  t.match(list.counts, { misses: 1 }, 'versions are compared as ever');
  proxy.target(stage.redis.port);
  await inMemory(reader);
  await stage.write(writer, { row: one });
  await stage.byId(reader, 'Campaign', ['1']);
  t.same(stage.history.violations, []);
});

t.test('what was read before the connection was lost is not trusted after it is back', async (t) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  // Long enough that the body would still be young.
  const reader = await openReady(stage, both, {
    memoryTtlMs: 60_000,
    maxStalenessMs: 120_000,
    parts: { busUrl: `redis://127.0.0.1:${proxy.port}` },
  });
  await inMemory(reader);
  proxy.cut();
  await until('other bodies are trusted again', async () => {
    const { counts } = await requested(async (scope) => {
      await reader.repositories.Campaign.findById('2', scope);
    });
    return counts.memoryHits === 1;
  });
  t.match((await byId(reader)).counts, { memoryHits: 0 });
  await inMemory(reader);
});

t.test('a subscriber that Redis throws out comes back', async (t) => {
  const stage = await setStage(t);
  const writer = await openReady(stage, both);
  const reader = await openReady(stage, both);
  for (let i = 0; i < 3; i += 1) {
    await inMemory(reader);
    await stage.keys.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await sleep(20);
    await stage.write(writer, { row: one });
    await stage.byId(reader, 'Campaign', ['1']);
  }
  await inMemory(reader);
  t.same(stage.history.violations, []);
});

t.test('a writer waits until every process has forgotten', async (t) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  // Longer than a busy machine takes for what needs no waiting.
  const memoryTtlMs = 1000;
  const writer = await openReady(stage, both, { memoryTtlMs });
  const reader = await openReady(stage, both, { memoryTtlMs, parts: { busUrl: `redis://127.0.0.1:${proxy.port}` } });

  await t.test('which takes no longer than they need', async (t) => {
    // One of several, however busy the machine is.
    await until('a write takes no longer', async () => {
      await inMemory(reader);
      const ms = await took(() => stage.write(writer, { row: one }));
      await stage.byId(reader, 'Campaign', ['1']);
      return ms < memoryTtlMs;
    });
    t.same(stage.history.violations, []);
  });

  await t.test('200 at once, too', async () => {
    const changes = Array.from({ length: 200 }, (_, i) => [{ entity: 'Campaign', id: String(1 + i) }]);
    // On a busy machine Redis may take longer than a command may, which is told to the writer and is not what is tested here.
    await until('all are told at once', async () => {
      const began = performance.now();
      const told = await Promise.allSettled(changes.map((changed) => writer.cache.invalidate(changed, true)));
      return performance.now() - began < memoryTtlMs && told.every(({ status }) => status === 'fulfilled');
    });
  });

  await t.test('or for as long as a memory may answer that hears nothing', async (t) => {
    await inMemory(reader);
    proxy.delay(() => 2 * memoryTtlMs);
    const ms = await took(() => stage.write(writer, { row: one }));
    t.ok(ms >= memoryTtlMs - 1, `${ms.toFixed(0)} ms`);
    await stage.byId(reader, 'Campaign', ['1']);
    proxy.delay(() => 0);
  });

  await t.test('but not for what the outbox brings', async (t) => {
    proxy.delay(() => 2 * memoryTtlMs);
    let ms = memoryTtlMs;
    await until('one takes no longer', async () => {
      ms = await took(() => writer.cache.invalidate([one], false));
      return ms < memoryTtlMs;
    });
    t.ok(ms < memoryTtlMs, `${ms.toFixed(0)} ms`);
    proxy.delay(() => 0);
  });
  t.same(stage.history.violations, []);
});

t.test('messages from strangers', async (t) => {
  const stage = await setStage(t);
  const reader = await openReady(stage, both);
  const messages = [
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"keys":7}',
    '{"keys":[7]}',
    '{"keys":',
    '{"keys":["~"],"replyTo":"x"}',
  ];
  for (const message of messages) await stage.keys.publish(CHANNEL, message);
  const replyChannels = (await stage.keys.pubsub('CHANNELS', 'larder:acknowledgements:*')) as string[];
  t.equal(replyChannels.length, 1);
  await until('each was noticed', () => reader.errors.length >= messages.length - 1);
  await inMemory(reader);
  await reader.stopDraining();
  for (const message of [...messages, '1e9', '{"sent":1e9}', '{"sent":1e9,"epoch":"of no Redis"}']) {
    for (const channel of replyChannels) await stage.keys.publish(channel, message);
  }
  await sleep(DEFAULTS.memoryTtlMs);
  t.match((await byId(reader)).counts, { memoryHits: 0 }, 'vouch for nothing');
  reader.drain();
  await inMemory(reader);
  await stage.write(reader, { row: one });
  await stage.byId(reader, 'Campaign', ['1']);
  t.same(stage.history.violations, [], 'change nothing');
});
