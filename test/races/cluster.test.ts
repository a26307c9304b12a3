import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, t } from 'tap';
import { slotOf } from '../../src/cache/cluster/slots.ts';
import type { ClusterServer } from '../../src/cli/services/redis-cluster.ts';
import { Locks } from '../stage/commit.ts';
import { DEFAULTS, type ProcessOptions } from '../stage/process.ts';
import { setStageOnCluster, settle } from '../stage/stage.ts';
import { freshCluster, type TestCluster } from '../support/redis-cluster.ts';
import { createRandom, type Random, raceSeed } from './support/random.ts';
import { readAll, readers } from './support/storm-reads.ts';
import { SIZES, type StormProcess, type World } from './support/storm-world.ts';
import { writers } from './support/storm-writes.ts';

/** How many slots move to another master, one after the other. */
const MOVES = 24;

/** How long a master is gone, in milliseconds: longer than it takes the others to notice. */
const GONE_MS = 1500;

/** Reads that are judged at least each time, however slow the machine is. */
const READS = 2000;

const FAULTS: Readonly<Record<string, (cluster: TestCluster, world: World, random: Random) => Promise<void>>> = {
  'nothing goes wrong': async () => {},
  'slots of what is read and written move': async (cluster, world, random) => {
    const share = Math.ceil(16_384 / cluster.masters.length);
    const owners = new Map<number, ClusterServer>();
    for (let moved = 0; moved < MOVES; moved += 1) {
      const slot = slotOf(random.pick(world.stage.history.keys()));
      const from = owners.get(slot) ?? cluster.masters[Math.floor(slot / share)];
      const to = random.pick(cluster.masters.filter((master) => master !== from));
      if (from === undefined) throw new Error(`The slot ${slot} is nobody's.`);
      await cluster.move([slot], from, to, () => sleep(random.below(30)));
      owners.set(slot, to);
      await sleep(random.below(60));
    }
  },
  'a master is killed, and comes back empty': async (cluster, _world, random) => {
    const gone = random.pick(cluster.masters);
    gone.kill('SIGKILL');
    await sleep(GONE_MS);
    await gone.restart();
  },
};

async function openWorld(t: Test, cluster: TestCluster): Promise<World> {
  const stage = await setStageOnCluster(t, cluster, {}, SIZES);
  const open = async (name: string, options: Partial<ProcessOptions>): Promise<StormProcess> => {
    const larder = await stage.open(options);
    return { name, larder, deploy: 'A', campaigns: larder.repositories.Campaign as StormProcess['campaigns'] };
  };
  const processes = await Promise.all([
    open('one', {}),
    open('without memory', { memoryMaxEntries: 0 }),
    open('forgetful', { memoryMaxEntries: 8, ttlMs: 60 }),
  ]);
  return { stage, processes, locks: new Locks(), born: [], tally: new Map() };
}

t.test('on a cluster, no read breaks the contract', async (t) => {
  const cluster = await freshCluster(t);
  const world = await openWorld(t, cluster);
  const { history } = world.stage;
  const seed = raceSeed();
  const random = createRandom(seed);
  await settle(world.stage);
  for (const [name, fault] of Object.entries(FAULTS)) {
    const before = history.judged;
    let done = false;
    const going = () => !done || history.judged - before < READS;
    const load = [
      ...world.processes.flatMap((process) => [0, 1].map(() => readers(world, process, random.fork(), going))),
      ...Array.from({ length: 2 }, () => writers(world, random.fork(), going)),
    ];
    const under = fault(cluster, world, random.fork()).finally(() => {
      done = true;
    });
    await Promise.all([under, ...load]);
    await settle(world.stage);
    // Drainers do not wait until every memory has forgotten.
    await sleep(DEFAULTS.memoryTtlMs);
    history.settled();
    await readAll(world);
    t.same(history.violations, [], `all is right while ${name}; RACE_SEED=${seed}`);
    if (history.violations.length > 0) return;
  }
  const [one, without] = world.processes.map(({ larder }) => larder.counts());
  t.ok((one?.memoryHits ?? 0) > 0, 'memory answered');
  t.ok((without?.hits ?? 0) > 0, 'and the cluster');
  process.stderr.write(
    `    races on a cluster: ${history.judged} reads judged, ${history.writes.answered} writes answered; RACE_SEED=${seed}\n`,
  );
});
