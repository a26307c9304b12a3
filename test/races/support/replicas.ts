import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { createScope, type Scope } from '../../../src/bodies/scope.ts';
import { EntityCache } from '../../../src/cache/entity-cache.ts';
import type { Replica } from '../../../src/postgres/replica.ts';
import { type Needs, Replicas } from '../../../src/postgres/replicas.ts';
import { Trace } from '../../../src/trace/trace.ts';
import { DEFAULTS, type LarderProcess, type Parts } from '../../stage/process.ts';
import { type Stage, setStageOn, settle, warm } from '../../stage/stage.ts';
import type { ReplicatedPostgres, TestReplica } from '../../support/replicated-postgres.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { echoed, read, row } from './scenarios.ts';

/** A race with a replica that replays late. What is wrong is in the history that it returns. */
export type ReplicaScenario = (t: Test, parts: Parts, postgres: ReplicatedPostgres) => Promise<Stage>;

/** Longer than any race takes: how far behind the replica is does not matter then. */
const EVER_MS = 3_600_000;

/** A stage on a database that a replica has, too. */
async function replicated(t: Test, postgres: ReplicatedPostgres) {
  const [replica] = postgres.replicas as [TestReplica];
  const { url, replicaUrls } = await postgres.createDatabase();
  t.teardown(() => replica.resume());
  const stage = await setStageOn(t, { url });
  return { stage, replica, at: (maxLagMs: number) => ({ replica: { url: replicaUrls[0] as string, maxLagMs } }) };
}

/** Waits until the replica has all that there is. */
async function caughtUp(stage: Stage, replica: TestReplica): Promise<void> {
  await settle(stage);
  await replica.resume();
}

/** A row is written by API while the replica does not replay. Its new body is cached, then a list of the replica names the old one. */
export const listedBehind: ReplicaScenario = async (t, parts, postgres) => {
  const { stage, replica, at } = await replicated(t, postgres);
  const writer = await stage.open();
  await caughtUp(stage, replica);
  const readers: LarderProcess[] = [];
  for (const memoryMaxEntries of [0, 1000]) {
    readers.push(await stage.open({ parts, ...at(EVER_MS), memoryMaxEntries }));
  }
  await settle(stage);
  await replica.pause();
  await stage.write(writer, { row });
  for (const reader of readers) {
    await warm(stage, reader, row);
    // Twice: what the first brings may be what the second finds.
    for (let times = 0; times < 2; times += 1) {
      await stage.list(reader, row.entity, reader.scope(), EVER_MS);
      await read(stage, reader);
    }
  }
  return stage;
};

/** A client writes while the replica does not replay, and lists with the position that it was told. */
export const listedByWriter = listedAfterWrite(async ({ storage }) => {
  const position = (await storage.replicas?.position(new Trace())) ?? null;
  return createScope(new Trace(), false, position);
});

/** A request writes while the replica does not replay, and lists in the same request. */
export const listedInRequest = listedAfterWrite(async (larder) => {
  const scope = larder.scope();
  scope.fromPrimary = true;
  return scope;
});

/** A row is written while the replica does not replay, and a list is read by the scope that is made after that. */
function listedAfterWrite(scopeOf: (larder: LarderProcess) => Promise<Scope>): ReplicaScenario {
  return async (t, parts, postgres) => {
    const { stage, replica, at } = await replicated(t, postgres);
    const larder = await stage.open({ parts, ...at(EVER_MS) });
    await caughtUp(stage, replica);
    // From now on memory has the page that the replica will go on naming.
    await stage.list(larder, row.entity, larder.scope(), EVER_MS);
    await replica.pause();
    await stage.write(larder, { row });
    await stage.list(larder, row.entity, await scopeOf(larder));
    return stage;
  };
}

/** A replica does not replay for longer than a list may be old. */
export const listedTooLate: ReplicaScenario = async (t, parts, postgres) => {
  const maxLagMs = 300;
  const { stage, replica, at } = await replicated(t, postgres);
  const larder = await stage.open({ parts, ...at(maxLagMs) });
  await caughtUp(stage, replica);
  await stage.list(larder, row.entity, larder.scope(), maxLagMs);
  await replica.pause();
  await stage.write('psql', { row });
  const written = performance.now();
  while (performance.now() - written <= maxLagMs) await sleep(10);
  await stage.list(larder, row.entity, larder.scope(), maxLagMs);
  return stage;
};

/** Nobody drains, and Redis still has the body that the replica names. Memory takes it, and is asked by id. */
export const rememberedFromBehind: ReplicaScenario = async (t, parts, postgres) => {
  const { stage, replica, at } = await replicated(t, postgres);
  const drainer = await stage.open({ memoryMaxEntries: 0 });
  await caughtUp(stage, replica);
  const clock = standingClock();
  const reader = await stage.open({ parts, ...at(EVER_MS), drains: false, clock });
  await warm(stage, drainer, row);
  await echoed(reader);
  await drainer.stopDraining();
  await replica.pause();
  await stage.write('psql', { row });
  await sleep(DEFAULTS.maxStalenessMs + 1);
  clock.pass(2 * DEFAULTS.memoryTtlMs);
  await stage.list(reader, row.entity, reader.scope(), EVER_MS);
  await read(stage, reader);
  return stage;
};

/** Takes what a replica brings for as good as what the primary has. */
class FillsFromReplicas extends EntityCache {
  override read(...[space, wants, load, trace, lagging]: Parameters<EntityCache['read']>) {
    return super.read(space, wants, lagging?.load ?? load, trace);
  }
}

/** Takes what Redis has of a named version for what Redis certifies. */
class BelievesNamed extends EntityCache {
  override async readThrough(...asked: Parameters<EntityCache['readThrough']>) {
    const found = await super.readThrough(...asked);
    for (const [id, body] of found) found.set(id, body && { version: body.version, entity: body.entity });
    return found;
  }
}

/** Lets any replica answer that is there. */
class IgnoresPositions extends Replicas {
  override choose(needs: Needs): ReturnType<Replicas['choose']> {
    return super.choose({ ...needs, position: null });
  }
}

/** Lets a replica answer requests that have written. */
class IgnoresWrites extends Replicas {
  override choose(needs: Needs): ReturnType<Replicas['choose']> {
    return super.choose({ ...needs, fromPrimary: false });
  }
}

/** Believes that replicas are as new as the primary. */
class BelievesReplicas extends Replicas {
  override choose(): Replica {
    return this.all[0] as Replica;
  }
}

/** Protocols that lack a part, by what they lack, each with the race that shows it. */
export const REPLICAS_BROKEN: Readonly<Record<string, readonly [Parts, ReplicaScenario]>> = {
  'what keeps a newer body': [{ cache: FillsFromReplicas }, listedBehind],
  'the certificate of what a replica named': [{ cache: BelievesNamed }, rememberedFromBehind],
  'the position of a client': [{ replicas: IgnoresPositions }, listedByWriter],
  'the memory of a write': [{ replicas: IgnoresWrites }, listedInRequest],
  'the measure of the lag': [{ replicas: BelievesReplicas }, listedTooLate],
};
