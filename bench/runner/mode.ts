import { PEER_NAMES, type PeerName } from './peers.ts';
import type { DataSize } from './stores.ts';
import { KINDS, TRAFFIC, type Traffic } from './traffic.ts';

/** How much is measured, and for how long. */
export interface Mode {
  readonly name: 'full' | 'quick';
  readonly data: DataSize;
  readonly connections: number;
  /** How often each peer is asked what has a target, at most. */
  readonly rounds: number;
  /** Before a peer is measured with some traffic. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly peers: readonly PeerName[];
  readonly traffic: readonly Traffic[];
  /** Whether cold starts and restarts are measured as well: not when peers, traffic, connections or a profile are chosen. */
  readonly whole: boolean;
  /** How long a cold start is watched: Larder's, which has a target, and that of the others. */
  readonly coldSeconds: { readonly larder: number; readonly others: number };
  /** How often Larder's is. */
  readonly coldStarts: number;
  readonly profileSeconds: number;
  /** How long Redis is watched before, and after, it goes away. */
  readonly restartSeconds: { readonly before: number; readonly down: number; readonly after: number };
  /** How long a lone reader asks, and the most that pages may take that are new to caches. */
  readonly loneSeconds: number;
  readonly freshSeconds: number;
  /** No round begins after so many seconds since the start: of what is warm, of what is not. */
  readonly lastRoundAt: { readonly warm: number; readonly fresh: number };
}

const FULL: Mode = {
  name: 'full',
  data: { campaigns: 10_000, events: 500_000 },
  connections: 32,
  rounds: 3,
  warmUpSeconds: 0.7,
  seconds: 1.2,
  peers: PEER_NAMES,
  traffic: TRAFFIC,
  whole: true,
  coldSeconds: { larder: 6, others: 2 },
  coldStarts: 3,
  profileSeconds: 6,
  restartSeconds: { before: 5, down: 2, after: 8 },
  loneSeconds: 0.8,
  freshSeconds: 6,
  lastRoundAt: { warm: 8 * 60, fresh: 10 * 60 },
};

const QUICK: Mode = {
  name: 'quick',
  data: { campaigns: 1_000, events: 50_000 },
  connections: 32,
  rounds: 1,
  warmUpSeconds: 0.4,
  seconds: 0.7,
  peers: PEER_NAMES,
  traffic: [
    'nested',
    'wide',
    'heavy',
    'random',
    'byId',
    'cold',
    'lone-nested',
    'lone-random',
    'lone-byId',
    'lone-cold',
  ],
  whole: true,
  coldSeconds: { larder: 5, others: 1 },
  coldStarts: 1,
  profileSeconds: 3,
  restartSeconds: { before: 3, down: 1, after: 6 },
  loneSeconds: 0.5,
  freshSeconds: 3,
  lastRoundAt: { warm: 3 * 60, fresh: 3 * 60 },
};

/**
 * @param env the variables of `make bench`
 * @returns what they ask for
 * @throws when one of them names nothing that there is
 */
export function readMode(env: NodeJS.ProcessEnv): Mode {
  const mode = isSet(env.QUICK) ? QUICK : FULL;
  const number = (name: string, otherwise: number): number => {
    const value = isSet(env[name]) ? Number(env[name]) : otherwise;
    if (!(value > 0)) throw new TypeError(`${name}=${env[name]}: expected a number above 0.`);
    return value;
  };
  const connections = number('CONNECTIONS', mode.connections);
  const traffic = chosen('TRAFFIC', env.TRAFFIC, TRAFFIC, mode.traffic);
  return {
    ...mode,
    peers: chosen('PEERS', env.PEERS, PEER_NAMES, mode.peers),
    traffic: connections === 1 ? lone(traffic) : traffic,
    whole: ![env.PEERS, env.TRAFFIC, env.PROFILE, env.CONNECTIONS].some(isSet),
    connections,
    rounds: number('ROUNDS', mode.rounds),
    seconds: number('SECONDS', mode.seconds),
    loneSeconds: number('SECONDS', mode.loneSeconds),
    warmUpSeconds: number('WARM_UP', mode.warmUpSeconds),
  };
}

/** With one connection everybody is alone: what a lone reader asks of some traffic, each once. */
function lone(traffic: readonly Traffic[]): readonly Traffic[] {
  const alone = traffic.map((name) => TRAFFIC.find((other) => other === `lone-${name}`) ?? name);
  return TRAFFIC.filter((name) => KINDS[name].lone && alone.includes(name));
}

/** A list of names, such as `PEERS=larder,postgraphile`. */
function chosen<T extends string>(
  variable: string,
  value: string | undefined,
  known: readonly T[],
  otherwise: readonly T[],
): readonly T[] {
  if (!isSet(value)) return otherwise;
  const names = value?.split(',').map((name) => name.trim()) ?? [];
  const wrong = names.filter((name) => !known.some((one) => one === name));
  if (wrong.length > 0) throw new TypeError(`${variable}=${value}: expected some of ${known.join(', ')}.`);
  return known.filter((name) => names.includes(name));
}

/** A flag of `make bench`: set unless it is empty or 0. */
export function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}
