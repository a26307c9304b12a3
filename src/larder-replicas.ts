import type { Closers } from './closers.ts';
import type { LarderLogger } from './larder-logger.ts';
import { named } from './larder-numbers.ts';
import type { PostgresLimits } from './larder-options.ts';
import { expectWhole, MILLISECONDS } from './number-range.ts';
import type { Database, DatabaseOptions } from './postgres/client.ts';
import { replicaTargetOf } from './postgres/replica-target.ts';
import { Replicas } from './postgres/replicas.ts';

/** How long to wait at start until each replica has been asked, in milliseconds. */
const KNOWN_MS = 1000;

/** What replicas are opened with. */
export interface ReplicaSurroundings {
  /** The options of all connections, apart from the address. */
  readonly common: Omit<DatabaseOptions, 'url'> & { readonly clock: NonNullable<DatabaseOptions['clock']> };
  readonly primary: Database;
  /** The primary, on connections that requests do not use. */
  readonly beat: Database;
  readonly closers: Closers;
  readonly logger: LarderLogger | undefined;
  /** Told of a replica that is not used, and why. */
  readonly onUnfit: (about: string, reason: string) => void;
}

/** How far behind a replica may be unless it is said, in milliseconds. */
const LAG_MS = 1000;

/**
 * @param limits the replicas as they were given, and how far behind they may be
 * @param logger told which parts of an address are ignored
 * @throws {WrongValue} naming an address that cannot be parsed
 * @throws {RangeError} naming a number that is out of range
 */
export function checkReplicas(
  { replicas = [], maxReplicaLagMs = LAG_MS }: PostgresLimits,
  logger: LarderLogger | undefined,
): void {
  expectWhole('maxReplicaLagMs', maxReplicaLagMs, MILLISECONDS);
  for (const [i, source] of replicas.entries()) {
    const { unheeded } = named(`postgres.replicas[${i}]`, () => replicaTargetOf(source));
    for (const words of unheeded) logger?.warn({}, `in the address of replica ${i + 1} of Postgres, ${words}`);
  }
}

/**
 * Opens the replicas of Postgres, and waits a moment until each has been asked. One that is away is tried again.
 *
 * @param limits the replicas, and how far behind they may be
 * @param surroundings the primary, and the options of connections
 * @returns an object with the replicas; an empty one where there are none
 */
export async function openReplicas(
  { replicas: urls = [], maxReplicaLagMs = LAG_MS }: PostgresLimits,
  { common, primary, beat, closers, logger, onUnfit }: ReplicaSurroundings,
): Promise<{ readonly replicas?: Replicas }> {
  if (urls.length === 0) return {};
  const onChange = (name: string, unfit: string | null) => {
    if (unfit === null) logger?.info(`lists are read at the replica ${name}`);
    else onUnfit(`lists are not read at the replica ${name}`, unfit);
  };
  const replicas = new Replicas({ ...common, urls, maxLagMs: maxReplicaLagMs, primary, beat, onChange });
  closers.add(() => replicas.close());
  await replicas.start(KNOWN_MS);
  return { replicas };
}

/**
 * @param replicas the replicas, if there are some
 * @returns a line for each that is not used, with the reason
 */
export function unfitReplicas(replicas: Replicas | undefined): string[] {
  const states = replicas?.states() ?? [];
  return states.flatMap(({ name, unfit }) =>
    unfit === null ? [] : [`Lists are not read at the replica ${name}: ${unfit.replace(/\.?$/, '.')}`],
  );
}
