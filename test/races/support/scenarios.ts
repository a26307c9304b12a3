import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import { decodeReply } from '../../../src/cache/bus/messages.ts';
import { DEFAULTS, type LarderProcess, type Parts } from '../../stage/process.ts';
import { keyOf, type Row } from '../../stage/rows.ts';
import { Holds } from '../../stage/seams.ts';
import { type Stage, setStage, settle, warm } from '../../stage/stage.ts';
import { openProxy } from '../../support/proxy.ts';
import { freshRedis } from '../../support/services.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { until } from '../../support/until.ts';

/** A race put together by hand, on processes made of the given parts. What is wrong is in the history that it returns. */
export type Scenario = (t: Test, parts: Parts) => Promise<Stage>;

/** What is read and written. */
export const row: Row = { entity: 'Campaign', id: '1' };
/** Reads it by id, judged. */
export const read = (stage: Stage, process: Awaited<ReturnType<Stage['open']>>) =>
  stage.byId(process, row.entity, [row.id]);

/** A reader's SELECT is under way while the row is written and everybody forgets it; then the reader fills. */
export const slowFill: Scenario = async (t, parts) => {
  // So long that Redis is vouched for all the while: else the slow reader would not fill, whatever the protocol lacks.
  const maxStalenessMs = 60_000;
  const stage = await setStage(t, { maxStalenessMs });
  const writer = await stage.open({ parts, maxStalenessMs });
  await settle(stage);
  const holds = new Holds();
  const reader = await stage.open({ parts, maxStalenessMs, seam: holds.seam });
  const answered = holds.next('SELECT answered');
  const slow = read(stage, reader);
  await answered.reached();
  t.equal(reader.counts().bypassed, 0, 'the slow reader asked Redis first');
  await stage.write(writer, { row });
  // Whoever drains would else forget what was filled, and nobody could see it.
  await settle(stage);
  answered.release();
  await slow;
  await readFromRedis(stage, await stage.open({ parts, maxStalenessMs }));
  return stage;
};

/** Lists what no cache has until lists bring bodies along. */
async function bringing(stage: Stage, reader: LarderProcess): Promise<void> {
  await until('lists bring bodies along', async () => {
    await forgotten(stage, reader);
    await stage.list(reader, row.entity);
    return reader.cache.lacks({ entity: row.entity, shape: '' });
  });
  await forgotten(stage, reader);
}

/** Neither the process nor Redis has any campaign. */
async function forgotten(stage: Stage, process: LarderProcess): Promise<void> {
  process.cache.forgetAll();
  await stage.keys.unlink(...Array.from({ length: 8 }, (_, i) => `Campaign-${i + 1}`));
}

/** A list that brings bodies along is under way while the row is written and everybody forgets it; then its body arrives. */
export const broughtSlowly: Scenario = async (t, parts) => {
  const maxStalenessMs = 60_000;
  const stage = await setStage(t, { maxStalenessMs });
  const writer = await stage.open({ parts, maxStalenessMs });
  const holds = new Holds();
  const reader = await stage.open({ parts, maxStalenessMs, seam: holds.seam });
  await settle(stage);
  await bringing(stage, reader);
  const answered = holds.next('list answered');
  const slow = stage.list(reader, row.entity);
  await answered.reached();
  await stage.write(writer, { row });
  // Whoever drains would else forget what was kept, and nobody could see it.
  await settle(stage);
  answered.release();
  await slow;
  await inMemory(stage, reader);
  await readFromRedis(stage, await stage.open({ parts, maxStalenessMs }));
  return stage;
};

/** A row is written by API while another process holds its body in Redis. */
export const writtenByApi: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const writer = await stage.open({ parts });
  const reader = await stage.open({ parts, memoryMaxEntries: 0 });
  await settle(stage);
  await warm(stage, reader, row);
  await stage.write(writer, { row });
  await read(stage, reader);
  return stage;
};

/** A row is written by psql while its body is cached everywhere and nobody drains; then it is listed. */
export const listedAfterPsql: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const larder = await stage.open({ parts });
  await settle(stage);
  await warm(stage, larder, row);
  await larder.stopDraining();
  await stage.write('psql', { row });
  await stage.list(larder, row.entity);
  return stage;
};

/** As before, but the page that the row is on is in memory as a whole. */
export const listedAgainAfterPsql: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const larder = await stage.open({ parts });
  await settle(stage);
  await stage.list(larder, row.entity);
  await larder.stopDraining();
  await stage.write('psql', { row });
  await stage.list(larder, row.entity);
  return stage;
};

/** A row is written by psql, and read by id for as long as an answer could be too old. */
export const readAfterPsql: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const drainer = await stage.open();
  const larder = await stage.open({ parts, drains: false });
  await settle(stage);
  await warm(stage, larder, row);
  await drainer.stopDraining();
  larder.drain();
  await stage.write('psql', { row });
  const until = performance.now() + DEFAULTS.maxStalenessMs + 200;
  while (performance.now() < until) {
    await read(stage, larder);
    await sleep(20);
  }
  return stage;
};

/** Redis comes back with a snapshot from before a row was written. */
export const oldSnapshot: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const larder = await stage.open({ parts });
  await settle(stage);
  await warm(stage, larder, row);
  await stage.redis.snapshot();
  await stage.write('psql', { row });
  await settle(stage);
  await stage.redis.crash();
  await sleep(DEFAULTS.maxStalenessMs);
  await stage.redis.start('snapshot');
  await until('a heartbeat', async () => (await stage.keys.exists('larder:heartbeat')) === 1);
  t.equal(await stage.keys.exists('Campaign-1'), 1, 'the snapshot has the body');
  await readFromRedis(stage, larder);
  return stage;
};

/** Redis comes back with a snapshot from before a row was written, in which the heartbeat still lives. */
export const oldHeartbeat: Scenario = async (t, parts) => {
  // So long that Redis is back before the heartbeat has ended, however busy the machine is.
  const maxStalenessMs = 60_000;
  const stage = await setStage(t, { maxStalenessMs });
  const drainer = await stage.open({ maxStalenessMs });
  const reader = await stage.open({ parts, maxStalenessMs, drains: false });
  await settle(stage);
  await warm(stage, reader, row);
  await stage.redis.snapshot();
  await stage.write('psql', { row });
  await settle(stage);
  await drainer.stopDraining();
  await stage.redis.crash();
  await stage.redis.start('snapshot');
  // What is read before that is not trusted for longer anyway.
  await until('both processes listen again', async () => {
    const [, listeners] = await stage.keys.pubsub('NUMSUB', 'larder:invalidations');
    return listeners === 2;
  });
  await published(stage);
  await fromRedis(reader);
  await until('Redis is told', () => succeeds(() => reader.vouch(maxStalenessMs, performance.now())));
  await echoed(reader, maxStalenessMs);
  await read(stage, reader);
  return stage;
};

/** Reads until Redis answers: a process that has just come to it asks Postgres at first. */
export async function readFromRedis(stage: Stage, reader: LarderProcess): Promise<void> {
  const before = reader.counts().hits ?? 0;
  await until('Redis answers', async () => {
    await read(stage, reader);
    return (reader.counts().hits ?? 0) > before;
  });
}

/** Reads, unjudged, until Redis answers. What a reading has left in memory would keep the next one from asking Redis. */
async function fromRedis(reader: LarderProcess): Promise<void> {
  await until('Redis answers', async () => {
    reader.cache.forget([keyOf(row)]);
    const hits = () => (reader.counts().hits ?? 0) - (reader.counts().memoryHits ?? 0) - (reader.counts().joined ?? 0);
    const before = hits();
    await reader.repositories.Campaign.findById(row.id, reader.scope());
    return hits() > before;
  });
}

function succeeds(action: () => Promise<unknown>): Promise<boolean> {
  return action().then(
    () => true,
    () => false,
  );
}

/** Lets a process hear of itself: what it reads from now on it may trust for as long as it goes on hearing. */
export async function echoed(reader: LarderProcess, maxStalenessMs = DEFAULTS.maxStalenessMs): Promise<void> {
  const asOf = reader.cache.clock.now();
  await reader.vouch(maxStalenessMs, asOf);
  await until('its echo has come back', () => reader.heardUpTo() >= asOf);
}

/** Waits until whatever the stage's Redis has published has come to whoever listens to it, and was looked at. */
async function published(stage: Stage): Promise<void> {
  // It has written all of that before it reads the next command, and both arrive in this process.
  await stage.keys.ping();
  await setImmediate();
}

/** Reads until memory answers. */
async function inMemory(stage: Stage, reader: LarderProcess): Promise<void> {
  await until('the body is in memory', async () => {
    const before = reader.counts().memoryHits ?? 0;
    await read(stage, reader);
    await read(stage, reader);
    return (reader.counts().memoryHits ?? 0) > before;
  });
}

/** A row is written by API in one process while another one has its body in memory. */
export const inOtherMemory: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const writer = await stage.open({ parts });
  const reader = await stage.open({ parts });
  await settle(stage);
  await echoed(reader);
  await inMemory(stage, reader);
  await stage.write(writer, { row });
  await read(stage, reader);
  return stage;
};

/** What a process is told is slow to arrive: an echo first, then word of a write, then another echo. */
export const stalledBus: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  const writer = await stage.open({ parts });
  const clock = standingClock();
  const busUrl = `redis://127.0.0.1:${proxy.port}`;
  const reader = await stage.open({ parts: { ...parts, busUrl }, drains: false, clock });
  await settle(stage);
  // Longer than all of this takes.
  const vouch = () => reader.vouch(60_000, clock.now());
  await echoed(reader, 60_000);
  await inMemory(stage, reader);
  const before = reader.heardUpTo();
  const echo = proxy.hold('"sent"', 'server');
  await vouch();
  await echo.reached;
  const word = proxy.hold('"keys"', 'server');
  await stage.write(writer, { row });
  await word.reached;
  // As long as the writer has waited.
  clock.pass(DEFAULTS.memoryTtlMs);
  await vouch();
  await echo.release();
  await until('the first echo arrives', () => reader.heardUpTo() > before);
  await read(stage, reader);
  await word.release();
  return stage;
};

/** How long memory answers without news where two of Redis are in play: what is done to them takes a while. */
const PATIENT_MS = 1000;

/** Two of Redis, of which a process' commands go to the one that `lead` names; what it is told comes from the first. */
async function twoOfRedis(t: Test, stage: Stage, parts: Parts) {
  const standby = await freshRedis(t, ['--replicaof', '127.0.0.1', String(stage.redis.port)]);
  const other = new Redis(standby.url);
  t.teardown(() => other.disconnect());
  const proxy = await openProxy(t, stage.redis.port);
  const redisUrl = `redis://127.0.0.1:${proxy.port}`;
  const bus = { ...parts, busUrl: stage.redis.url };
  const reader = await stage.open({ parts: bus, redisUrl, drains: false, memoryTtlMs: PATIENT_MS });
  // When what the reader now asks to hear was sent, and whether any of it came to whoever listens to the first.
  const asked = new Set<number>();
  let heard = false;
  const witness = new Redis(stage.redis.url);
  t.teardown(() => witness.disconnect());
  witness.on('pmessage', (_pattern: string, _channel: string, text: string) => {
    const echo = decodeReply(text);
    if (echo !== null && 'sent' in echo) heard ||= asked.has(echo.sent);
  });
  await witness.psubscribe('larder:acknowledgements:*');
  for (const redis of [stage.keys, other]) await redis.config('SET', 'repl-diskless-sync-delay', '0');
  return {
    reader,
    /** Lets the standby become the primary, and the first go on for itself. */
    promote: async () => {
      await until('the standby has the body', async () => (await other.exists('Campaign-1')) === 1);
      await other.replicaof('NO', 'ONE');
      // What the two have in common ends here, so that the first will begin anew and not catch up with what it has missed.
      await stage.keys.set('stray', '1');
    },
    /** Lets the commands go to one of them from now on. */
    lead: async (port: number) => {
      proxy.target(port);
      proxy.cut();
      await sleep(20);
      await until('the commands arrive', async () => (await reader.redis?.ping()) ?? false);
    },
    standby,
    /** Waits until the standby has a heartbeat of somebody who vouches for longer than the reader does. */
    vouched: () =>
      until('the standby is vouched for', async () => (await other.pttl('larder:heartbeat')) > DEFAULTS.maxStalenessMs),
    /** Keeps the standby, which has the body by then, from hearing of anything. */
    deafen: async () => {
      await until('the standby has the body', async () => (await other.exists('Campaign-1')) === 1);
      await other.replicaof('127.0.0.1', '1');
    },
    /** Writes, and lets the invalidation be published by the standby alone. */
    writeThere: async () => {
      const successor = await stage.open({ redisUrl: standby.url, drains: false });
      await stage.write('psql', { row });
      successor.drain();
      await until('the write is drained', async () => {
        const [waiting] = await stage.sql`select from cache_outbox limit 1`;
        return waiting === undefined;
      });
      await successor.stopDraining();
      // Whoever is told nothing forgets by itself.
      await sleep(PATIENT_MS);
      stage.history.settled();
    },
    /** Lets the first become the standby of the other. */
    follow: async () => {
      await stage.keys.replicaof('127.0.0.1', standby.port);
      const mark = String(performance.now());
      await other.set('mark', mark);
      await until('the first is in step', async () => (await stage.keys.get('mark')) === mark);
    },
    /** Lets the first go on for itself again. */
    part: async () => {
      await stage.keys.replicaof('NO', 'ONE');
      await stage.keys.set('stray', '2');
    },
    /** Lets the reader hear of itself, if it can: a witness that listens to the first has heard of it by then. */
    hear: async () => {
      asked.clear();
      heard = false;
      await until('its echo arrives', async () => {
        const asOf = performance.now();
        asked.add(asOf);
        if (await succeeds(() => reader.vouch(DEFAULTS.maxStalenessMs, asOf))) await sleep(20);
        return heard;
      });
      await published(stage);
    },
  };
}

/** What a process is told comes from a standby of the Redis that it asks, which for a while hears of nothing itself. */
export const strandedBus: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const { reader, standby, ...redis } = await twoOfRedis(t, stage, parts);
  const drainer = await stage.open();
  await settle(stage);
  await warm(stage, reader, row);
  await drainer.stopDraining();
  await redis.promote();
  await redis.lead(standby.port);
  await redis.follow();
  await redis.hear();
  await inMemory(stage, reader);
  await redis.part();
  await redis.writeThere();
  await redis.follow();
  await redis.hear();
  await read(stage, reader);
  return stage;
};

/** The Redis that a process asks and listens to becomes a standby, which for a while hears of nothing, and the primary again. */
export const busThereAndBack: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const { reader, ...redis } = await twoOfRedis(t, stage, parts);
  const drainer = await stage.open();
  await settle(stage);
  await redis.hear();
  await warm(stage, reader, row);
  await inMemory(stage, reader);
  await drainer.stopDraining();
  await redis.promote();
  await redis.writeThere();
  await redis.follow();
  await redis.part();
  await redis.hear();
  await read(stage, reader);
  return stage;
};

/** The commands of a process find a standby that has not heard of the last invalidation, and then the first again. */
export const readElsewhere: Scenario = async (t, parts) => {
  // So long that the standby is vouched for when it is asked, however busy the machine is.
  const maxStalenessMs = 60_000;
  const stage = await setStage(t, { maxStalenessMs });
  const { reader, standby, ...redis } = await twoOfRedis(t, stage, parts);
  const writer = await stage.open({ maxStalenessMs });
  await settle(stage);
  await redis.hear();
  await warm(stage, reader, row);
  await redis.vouched();
  await redis.deafen();
  await redis.lead(standby.port);
  await stage.write('psql', { row });
  await settle(stage);
  // What it finds there may be old, for as long as it asks there.
  await fromRedis(reader);
  await redis.lead(stage.redis.port);
  const returned = performance.now();
  do await redis.hear();
  while (performance.now() - returned < PATIENT_MS);
  await read(stage, reader);
  await writer.stopDraining();
  return stage;
};

/** A heartbeat is held up by the network, its process ends, and a row is written before the heartbeat arrives. */
export const lateHeartbeat: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  // It gives the heartbeat up long before that arrives.
  const paused = await stage.open({ parts, redisUrl: `redis://127.0.0.1:${proxy.port}`, redisTimeoutMs: 100 });
  const reader = await stage.open({ drains: false });
  await settle(stage);
  await warm(stage, reader, row);
  const beat = proxy.hold('larder:heartbeat');
  await beat.reached;
  await paused.stopDraining();
  await stage.write('psql', { row });
  await sleep(DEFAULTS.maxStalenessMs);
  await until('the heartbeats that had arrived have ended', async () => {
    return (await stage.keys.exists('larder:heartbeat')) === 0;
  });
  await beat.release();
  // A heartbeat that is worth something shows; one that came too late never does, and is waited for in vain.
  for (let i = 0; i < 100 && (await stage.keys.exists('larder:heartbeat')) === 0; i += 1) await sleep(10);
  await read(stage, reader);
  return stage;
};

/** A standby takes over that has not heard of the last invalidation, and hands back, before anybody has noticed. */
export const thereAndBack: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const standby = await freshRedis(t, ['--replicaof', '127.0.0.1', String(stage.redis.port)]);
  const larder = await stage.open({ parts });
  await settle(stage);
  await warm(stage, larder, row);
  const other = new Redis(standby.url);
  t.teardown(() => other.disconnect());
  await until('the standby has the body', async () => (await other.exists('Campaign-1')) === 1);
  await other.replicaof('NO', 'ONE');
  await stage.write('psql', { row });
  await settle(stage);
  await stage.keys.replicaof('127.0.0.1', standby.port);
  const inStep = async () => /master_link_status:up/.test(await stage.keys.info('replication'));
  await until('the first is in step', inStep);
  await stage.keys.replicaof('NO', 'ONE');
  await stage.keys.del('larder:heartbeat');
  await until('a heartbeat', async () => (await stage.keys.exists('larder:heartbeat')) === 1);
  t.equal(await stage.keys.exists('Campaign-1'), 1, 'the body is still there');
  await read(stage, larder);
  return stage;
};
