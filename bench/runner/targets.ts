import type { Sample } from './measure.ts';
import { PEERS, type PeerName } from './peers.ts';
import { medianOf, medianOver, type Restart, type Results, ratioOf, spreadOf } from './results.ts';
import { stormTarget } from './storm/report-storm.ts';
import { KINDS, TRAFFIC, type Traffic } from './traffic.ts';

/** One thing that Larder is to be, and how it came out. */
export interface Target {
  readonly what: string;
  /** In words, such as `3.4 ×`. */
  readonly measured: string;
  readonly passed: boolean;
}

const rate = (sample: Sample) => sample.perSecond;

/** What targets are about is measured in each round, for a median; all else once. */
const REPEATED: Partial<Record<PeerName, readonly Traffic[]>> = {
  larder: TRAFFIC,
  'larder-redis-only': ['nested', 'wide', 'random'],
  'proof-of-concept': ['nested', 'wide', 'random', 'byId', 'threeLevels', 'mix'],
  postgraphile: TRAFFIC,
  'response-cache': ['wide', 'threeLevels'],
  'route-splice': ['heavy', 'lone-heavy'],
  'route-json': ['nested', 'wide', 'lone-nested'],
  'route-bare': ['byId'],
};

/**
 * @param peer who is asked
 * @param traffic what
 * @returns whether that is measured in each round
 */
export function isRepeated(peer: PeerName, traffic: Traffic): boolean {
  return REPEATED[peer]?.includes(traffic) ?? false;
}

/** Whose start from nothing has a target. */
export const HELD_COLD: readonly PeerName[] = ['larder', 'larder-redis-only'];

/** How much of the warm rate must be back, and how soon. */
const BACK = { share: 0.5, seconds: 5 };

/**
 * Holds a run to the targets that Larder has set itself; all are about medians.
 *
 * @param results all that was measured
 * @returns the targets in order; what was not measured is left out
 */
export function targetsOf(results: Results): Target[] {
  const median = (traffic: Traffic, peer: PeerName, pick = rate) => medianOver(results, traffic, peer, pick);

  /** Whoever misses a target should know whether anybody reaches it. */
  const quickestPeer = (traffic: Traffic, than: PeerName): string => {
    const ratios = PEERS.filter(({ name, kind }) => kind !== 'larder' && name !== than).flatMap(({ name, title }) => {
      const ratio = ratioOf(results, traffic, name, than);
      return ratio === null ? [] : [{ ratio, title }];
    });
    const [best] = ratios.sort((a, b) => b.ratio - a.ratio);
    return best === undefined ? '' : `; the quickest peer, ${best.title}: ${best.ratio.toFixed(2)} ×`;
  };

  const atLeast = (traffic: Traffic, factor: number, peer: PeerName, self: PeerName = 'larder'): Target[] => {
    const ratio = ratioOf(results, traffic, self, peer);
    if (ratio === null) return [];
    const what = `${titleOf(self)}, ${traffic}: ≥ ${factor} × ${titleOf(peer)}`;
    const passed = ratio >= factor;
    return [{ what, measured: `${ratio.toFixed(2)} ×${passed ? '' : quickestPeer(traffic, peer)}`, passed }];
  };

  const beside = PEERS.filter((peer) => peer.kind === 'graphql');
  const crowd = TRAFFIC.filter((traffic) => KINDS[traffic].caches === 'warm' && !KINDS[traffic].lone);
  const neverBehind = crowd.flatMap((traffic) => {
    const ratios = beside.flatMap((peer) => {
      const ratio = ratioOf(results, traffic, 'larder', peer.name);
      return ratio === null ? [] : [{ peer, ratio }];
    });
    const [least] = ratios.sort((a, b) => a.ratio - b.ratio);
    if (least === undefined) return [];
    const what = `Larder, ${traffic}: ≥ 0.9 × any GraphQL peer without a finished answer`;
    return [{ what, measured: `${least.ratio.toFixed(2)} × ${least.peer.title}`, passed: least.ratio >= 0.9 }];
  });

  const quickest = crowd.flatMap((traffic) => {
    const own = median(traffic, 'larder', (sample) => sample.p99);
    const others = beside.flatMap((peer) => median(traffic, peer.name, (sample) => sample.p99) ?? []);
    if (own === null || others.length === 0) return [];
    const best = Math.min(...others);
    const what = `Larder, ${traffic}: p99 below every GraphQL peer's without a finished answer`;
    return [{ what, measured: `${own.toFixed(1)} ms, the best of them ${best.toFixed(1)} ms`, passed: own < best }];
  });

  const atMost = (traffic: Traffic, factor: number, peer: PeerName, cpu: 'postgresCpu' | 'serverCpu'): Target[] => {
    const own = median(traffic, 'larder', (sample) => sample[cpu]);
    const other = median(traffic, peer, (sample) => sample[cpu]);
    if (own === null || other === null) return [];
    const whose = cpu === 'serverCpu' ? 'CPU' : 'Postgres CPU';
    const ratio = (cost: number) => `${(cost / other).toFixed(2)} ×`;
    const passed = own <= factor * other;
    const graphql = PEERS.flatMap(({ name, kind, title }) => {
      const cost = kind === 'larder' || kind === 'route' ? null : median(traffic, name, (sample) => sample[cpu]);
      return cost === null ? [] : [{ cost, title }];
    });
    const [least] = graphql.sort((a, b) => a.cost - b.cost);
    const floor =
      passed || least === undefined ? '' : `; the least of any GraphQL peer, ${least.title}: ${ratio(least.cost)}`;
    return [
      {
        what: `Larder, ${traffic}: ${whose} ≤ ${factor} × ${titleOf(peer)}`,
        measured: `${ratio(own)}${floor}`,
        passed,
      },
    ];
  };

  return [
    ...atLeast('nested', 3.2, 'postgraphile'),
    ...atLeast('nested', 0.6, 'route-json'),
    ...atLeast('wide', 3, 'postgraphile'),
    ...atLeast('wide', 2, 'route-json'),
    ...atLeast('random', 3, 'postgraphile'),
    ...atLeast('byId', 4, 'postgraphile'),
    ...atLeast('heavy', 5, 'postgraphile'),
    ...atLeast('heavy', 0.6, 'route-splice'),
    ...atLeast('cold', 1.5, 'postgraphile'),
    ...atLeast('half', 1.2, 'postgraphile'),
    // A lone reader shares no statement with anybody.
    ...atLeast('lone-nested', 4, 'postgraphile'),
    ...atLeast('lone-nested', 0.9, 'route-json'),
    ...atLeast('lone-random', 2, 'postgraphile'),
    ...atLeast('lone-byId', 6, 'postgraphile'),
    ...atLeast('lone-heavy', 5, 'postgraphile'),
    ...atLeast('lone-heavy', 0.6, 'route-splice'),
    ...atLeast('lone-cold', 1, 'postgraphile'),
    ...atLeast('lone-half', 1.2, 'postgraphile'),
    // Whoever is given the finished answer, is not fresher for it.
    ...atLeast('wide', 1, 'response-cache'),
    ...atLeast('threeLevels', 1, 'response-cache'),
    ...neverBehind,
    ...atMost('byId', 1.3, 'route-bare', 'serverCpu'),
    ...atMost('wide', 0.5, 'postgraphile', 'postgresCpu'),
    ...quickest,
    ...(['nested', 'wide', 'random'] as const).flatMap((traffic) =>
      atLeast(traffic, 1.5, 'postgraphile', 'larder-redis-only'),
    ),
    ...results.restarts.map(restartTarget),
    ...coldTarget(results),
    ...(results.storm === null ? [] : [stormTarget(results.storm)]),
  ];
}

function titleOf(peer: PeerName): string {
  return PEERS.find(({ name }) => name === peer)?.title ?? peer;
}

function restartTarget({ title, eachSecond, from, until, errors }: Restart): Target {
  const warm = medianOf(eachSecond.slice(1, from).toSorted((a, b) => a - b));
  const back = eachSecond.slice(until, until + BACK.seconds).findIndex((answered) => answered >= warm * BACK.share);
  const worst = Math.min(...eachSecond.slice(from));
  const measured =
    `warm ${warm.toFixed(0)}/s, at worst ${worst}/s, ` +
    `${back < 0 ? `not back within ${BACK.seconds} s` : `back in second ${back + 1}`}, ${errors} errors`;
  return {
    what: `${title}: ≥ 50 % of the warm rate within 5 s, no error`,
    measured,
    passed: back >= 0 && errors === 0,
  };
}

/** Of a process that has just started, on an empty Redis: its code is as cold as its cache. */
function coldTarget(results: Results): Target[] {
  return HELD_COLD.flatMap((peer) => {
    const cold = results.cold[peer];
    const warm = spreadOf(results, 'random', peer, rate)?.median;
    if (cold === undefined || warm === undefined) return [];
    const best = Math.max(...cold.eachSecond.slice(0, BACK.seconds));
    return [
      {
        what: `${titleOf(peer)}, cold start: ≥ 50 % of the warm rate within 5 s, no error`,
        measured: `${cold.eachSecond.join(', ')} in each second, warm ${warm.toFixed(0)}/s, ${cold.errors} errors`,
        passed: best >= warm * BACK.share && cold.errors === 0,
      },
    ];
  });
}
