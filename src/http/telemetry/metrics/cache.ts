import { Counter, type Registry } from 'prom-client';
import { addCounts, type CacheCounts, noCounts } from '../../../trace/cache-counts.ts';
import type { Channels } from '../../../trace/channels.ts';

/**
 * Registers metrics of the caches. Requests bring their own counts, which are added up. The metrics are made from the sums when they are
 * read.
 *
 * @param registry where the metrics go
 * @param channels report requests, invalidations and audits
 * @param entities the names of all entities
 * @returns ends the subscriptions
 */
export function registerCacheMetrics(
  registry: Registry,
  channels: Pick<Channels, 'request' | 'invalidation' | 'audit'>,
  entities: readonly string[],
): () => void {
  const sums = new Map<string, CacheCounts>(entities.map((entity) => [entity, noCounts()]));
  registerSums(registry, sums);
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const invalidations = counter(
    'larder_cache_invalidations_total',
    'Bodies that this process made all caches forget, by entity and whether a write or the outbox told of them; what the outbox told of, once for each node of a cluster.',
    ['entity', 'source'],
  );
  const audits = counter(
    'larder_audits_total',
    'Answers from caches to reads by id that were checked against Postgres, by entity.',
    ['entity'],
  );
  const inconsistent = counter(
    'larder_inconsistent_total',
    'Checked answers that caches still gave although Postgres had held something else for longer than the bound.',
    ['entity'],
  );
  for (const entity of entities) {
    for (const source of ['write', 'outbox']) invalidations.inc({ entity, source }, 0);
    audits.inc({ entity }, 0);
    inconsistent.inc({ entity }, 0);
  }
  const subscriptions = [
    channels.request.subscribe(({ trace }) => {
      for (const [entity, counts] of Object.entries(trace?.cache ?? {})) add(sums, entity, counts);
    }),
    channels.invalidation.subscribe(({ changed, source }) => {
      for (const { entity } of changed) invalidations.inc({ entity, source });
    }),
    channels.audit.subscribe(({ entity, consistent }) => {
      audits.inc({ entity });
      if (!consistent) inconsistent.inc({ entity });
    }),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

function add(sums: Map<string, CacheCounts>, entity: string, counts: CacheCounts): void {
  let sum = sums.get(entity);
  if (sum === undefined) {
    sum = noCounts();
    sums.set(entity, sum);
  }
  addCounts(sum, counts);
}

/** Makes metrics that give the current sums whenever they are read. */
function registerSums(registry: Registry, sums: ReadonlyMap<string, CacheCounts>): void {
  const registerSum = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    values: (counts: CacheCounts) => [number, Record<Label, string>][],
  ) =>
    new Counter<Label | 'entity'>({
      name,
      help,
      labelNames: ['entity', ...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const [entity, counts] of sums) {
          for (const [value, labels] of values(counts)) this.inc({ entity, ...labels }, value);
        }
      },
    });
  registerSum(
    'larder_cache_requests_total',
    'Bodies that requests wanted, by entity, where they came from (memory, joined: the reading of another request, redis, postgres) and whether that was a hit, a negative (known not to exist) or a miss.',
    ['tier', 'result'],
    (counts) => {
      const { hits, negative, misses, memoryHits, memoryNegatives, joined, joinedNegatives } = counts;
      const fromMemory = memoryHits - memoryNegatives;
      return [
        [fromMemory, { tier: 'memory', result: 'hit' }],
        [memoryNegatives, { tier: 'memory', result: 'negative' }],
        [joined, { tier: 'joined', result: 'hit' }],
        [joinedNegatives, { tier: 'joined', result: 'negative' }],
        [hits - fromMemory - joined, { tier: 'redis', result: 'hit' }],
        [negative - memoryNegatives - joinedNegatives, { tier: 'redis', result: 'negative' }],
        [misses, { tier: 'postgres', result: 'miss' }],
      ];
    },
  );
  registerSum(
    'larder_cache_bypassed_total',
    'Misses that no cache was asked for or could answer, by entity and reason (cold: the request wanted so, unreachable: Redis did not answer, unvouched: the invalidations are behind).',
    ['reason'],
    ({ bypassed, cold, unreachable }) => [
      [cold, { reason: 'cold' }],
      [unreachable, { reason: 'unreachable' }],
      [bypassed - cold - unreachable, { reason: 'unvouched' }],
    ],
  );
  registerSum(
    'larder_cache_leases_total',
    'Leases of missing bodies, by entity and whether they were taken or found with another reader.',
    ['result'],
    ({ leases, leased }) => [
      [leases, { result: 'taken' }],
      [leased, { result: 'elsewhere' }],
    ],
  );
  registerSum(
    'larder_cache_stale_total',
    'Bodies that were there in a version that no longer counts, by entity.',
    [],
    (counts) => [[counts.stale, {}]],
  );
  registerSum('larder_cache_fills_total', 'Bodies and negatives that were put into Redis, by entity.', [], (counts) => [
    [counts.fills, {}],
  ]);
}
