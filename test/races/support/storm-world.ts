import type { campaigns } from '../../../src/app/tables.ts';
import { REDIS_TIMEOUT_MS } from '../../../src/cache/redis/connection.ts';
import type { Entity } from '../../../src/entity/definition.ts';
import type { RowOf } from '../../../src/repository/entity.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Locks } from '../../stage/commit.ts';
import { type CampaignB, campaignRepositoryB, migrateToB } from '../../stage/deploy-b.ts';
import type { LarderProcess, ProcessOptions } from '../../stage/process.ts';
import { type EntityName, HOME_BRANDS, HUBS, type Row } from '../../stage/rows.ts';
import type { AnyStage, Sizes, Stage } from '../../stage/stage.ts';
import type { TcpProxy } from '../../support/proxy.ts';

/** Rows of each kind that are there from the start. */
export const SIZES: Sizes = { Brand: 6, Campaign: 16, Event: 16 };

/** A process of the storm. */
export interface StormProcess {
  readonly name: string;
  readonly larder: LarderProcess;
  /** Which deploy it runs: B's campaigns have a subtitle. */
  readonly deploy: 'A' | 'B';
  readonly campaigns: Repository<RowOf<typeof campaigns> | CampaignB, 'all' | 'ofBrand'>;
}

/** What readers and writers act on. */
export interface World {
  readonly stage: AnyStage;
  readonly processes: readonly StormProcess[];
  readonly locks: Locks;
  /** Rows that were created by API and are there still. */
  readonly born: Row[];
  /** What was done to whom, and how often. */
  readonly tally: Map<string, number>;
}

/** What faults act on besides. */
export interface StormWorld extends World {
  readonly stage: Stage;
  /** Between the distant process and Redis. */
  readonly proxy: TcpProxy;
}

/**
 * Opens processes that have as little in common as processes may.
 *
 * @param stage where
 * @param proxy between the distant one and Redis
 * @returns the processes
 */
export async function openStormProcesses(stage: Stage, proxy: TcpProxy): Promise<StormProcess[]> {
  await migrateToB(stage.sql);
  const open = async (name: string, options: Partial<ProcessOptions> = {}, deploy: 'A' | 'B' = 'A') => {
    // As long as servers give it, so that faults outlast it.
    const larder = await stage.open({ redisTimeoutMs: REDIS_TIMEOUT_MS, ...options });
    const campaigns = deploy === 'A' ? larder.repositories.Campaign : campaignRepositoryB(larder.storage);
    return { name, larder, deploy, campaigns: campaigns as StormProcess['campaigns'] };
  };
  return Promise.all([
    open('one'),
    open('two'),
    open('without memory', { memoryMaxEntries: 0 }),
    open('forgetful', { memoryMaxEntries: 8, ttlMs: 60 }),
    open('distant', { redisUrl: `redis://127.0.0.1:${proxy.port}` }),
    open('deploy B', {}, 'B'),
  ]);
}

/**
 * The repository that a process reads a kind of entity with.
 *
 * @param process the process
 * @param entity the kind
 * @returns the repository
 */
export function repositoryIn(process: StormProcess, entity: EntityName): Repository<Entity, 'all'> {
  const { Brand: brand, Event: event } = process.larder.repositories;
  const repository = entity === 'Brand' ? brand : entity === 'Campaign' ? process.campaigns : event;
  return repository as unknown as Repository<Entity, 'all'>;
}

/** Whether a row may be deleted: nothing that must stay belongs to it. */
export function isDeletable({ entity, id }: Row): boolean {
  if (entity === 'Brand') return Number(id) > HOME_BRANDS;
  return entity === 'Event' || Number(id) > HUBS;
}

/**
 * Counts something.
 *
 * @param world the storm
 * @param what what happened
 * @param times how often
 */
export function count({ tally }: World, what: string, times = 1): void {
  tally.set(what, (tally.get(what) ?? 0) + times);
}
