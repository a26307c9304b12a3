import { DEAF_MS } from '../../../src/cache/bus/acknowledgers.ts';
import { InvalidationBus } from '../../../src/cache/bus/invalidation-bus.ts';
import { EntityCache } from '../../../src/cache/entity-cache.ts';
import { DEFAULTS, type LarderProcess, type Parts } from '../../stage/process.ts';
import type { Row } from '../../stage/rows.ts';
import { type Stage, setStage, settle } from '../../stage/stage.ts';
import { openProxy } from '../../support/proxy.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { until } from '../../support/until.ts';
import type { Scenario } from './scenarios.ts';

const row: Row = { entity: 'Campaign', id: '1' };
const REPLIES = 'larder:acknowledgements:*';

type Bus = ConstructorParameters<typeof InvalidationBus>;

const read = (stage: Stage, reader: LarderProcess) => stage.byId(reader, row.entity, [row.id]);

/** Hears what it is told, and never says so. */
class Mute extends InvalidationBus {
  constructor(...[source, prefix, listener, tell, ...more]: Bus) {
    const others = async (channel: string, text: string) => (text.includes('"from"') ? 1 : tell(channel, text));
    super(source, prefix, listener, others, ...more);
  }
}

/** Gives up who does not acknowledge, and does not say so. */
class GivesUpUnsaid extends InvalidationBus {
  constructor(...[source, prefix, listener, tell, ...more]: Bus) {
    const others = async (channel: string, text: string) => (text.includes('givenUp') ? 1 : tell(channel, text));
    super(source, prefix, listener, others, ...more);
  }
}

/** Takes its subscription for one that answers, always. */
class NeverDeaf extends EntityCache {
  override alive(): void {
    super.alive(Number.POSITIVE_INFINITY);
  }
}

/** A process hears all, and what it acknowledges is lost, until the writer has given it up; then it hears a little late. */
const muteReader: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  const writer = await stage.open({ parts });
  const clock = standingClock();
  const busUrl = `redis://127.0.0.1:${proxy.port}`;
  const reader = await stage.open({ parts: { busUrl, bus: Mute }, drains: false, clock });
  await settle(stage);
  const names = async () => ((await stage.keys.pubsub('CHANNELS', REPLIES)) as string[]).toSorted();
  await until('both listen', async () => (await names()).length === 2);
  const before = await names();
  await until('it is given up, or has begun anew', async () => {
    await stage.write(writer, { row });
    const now = await names();
    return writer.silent().length > 0 || (now.length === 2 && now.join() !== before.join());
  });
  await until('memory answers', async () => {
    const hits = reader.counts().memoryHits ?? 0;
    await reader.vouch(60_000, clock.now());
    await read(stage, reader);
    await read(stage, reader);
    return (reader.counts().memoryHits ?? 0) > hits;
  });
  const word = proxy.hold('"keys"', 'server');
  const isWaitedFor = writer.silent().length === 0;
  await stage.write(writer, { row });
  await word.reached;
  if (isWaitedFor) clock.pass(DEFAULTS.memoryTtlMs);
  await read(stage, reader);
  await word.release();
  return stage;
};

/** A process hears nothing any more until the writer has given it up, and reads on. */
const deafReader: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const proxy = await openProxy(t, stage.redis.port);
  const writer = await stage.open({ parts });
  const clock = standingClock();
  const reader = await stage.open({
    parts: { ...parts, busUrl: `redis://127.0.0.1:${proxy.port}` },
    drains: false,
    clock,
  });
  await settle(stage);
  const all = proxy.hold('', 'server');
  await all.reached;
  await until('it is given up', async () => {
    await stage.write(writer, { row });
    return writer.silent().length > 0;
  });
  // As long as that took at least.
  clock.pass(DEAF_MS);
  for (let n = 0; n < 2; n += 1) await read(stage, reader);
  await stage.write(writer, { row });
  await read(stage, reader);
  await all.release();
  return stage;
};

/** What keeps a process from believing a memory for which nobody waits, the protocol without it, and the race that shows it. */
export const SILENCES_BROKEN: Readonly<Record<string, readonly [Parts, Scenario]>> = {
  'the word that it is given up': [{ bus: GivesUpUnsaid }, muteReader],
  'the answer of its subscription': [{ cache: NeverDeaf }, deafReader],
};
