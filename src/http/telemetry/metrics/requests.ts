import { Counter, Histogram, type Registry } from 'prom-client';
import type { RequestDone, TypedChannel } from '../../../trace/channels.ts';
import { OTHER } from '../../request-state.ts';

/** Buckets around the objectives: 10 ms for a warm page, 100 ms for the slowest in a hundred, 1 s for what is logged as slow. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
/** Buckets up to the default of MAX_COST. */
const POINTS = [1, 5, 10, 25, 50, 100, 250, 500, 1000];

/** Codes that an alert counts. They start at 0, since `increase()` misses an event that creates its counter. */
const ALERTED = ['INTERNAL_SERVER_ERROR', 'UNAVAILABLE'];

/**
 * The most requests whose figures wait to be observed in one go. Reading the metrics observes them, too. Observing each request by itself
 * is much slower, when other code has used the processor's caches in between.
 */
const MAX_WAITING = 256;

/**
 * How many operations have metrics of their own: the first that come. Each has some forty series, a client may have thousands of trusted
 * documents, and Prometheus pays for each series.
 */
const MAX_OPERATIONS = 100;

/** What is observed of a request. */
type Figures = Pick<RequestDone, 'operation' | 'status' | 'ms' | 'bytes' | 'cost'>;

/**
 * Registers how long GraphQL requests took, what they cost and how they ended. An operation is named when its document is trusted, so that
 * no stranger makes series. Others, and those beyond the first hundred, are `other`.
 *
 * @param registry where the metrics go
 * @param channel reports requests
 * @returns ends the subscription
 */
export function registerRequestMetrics(registry: Registry, channel: TypedChannel<RequestDone>): () => void {
  const waiting: Figures[] = [];
  const named = new Set<string>();
  const nameOf = (operation: string): string => {
    if (named.has(operation)) return operation;
    if (named.size === MAX_OPERATIONS) return OTHER;
    if (operation !== OTHER) named.add(operation);
    return operation;
  };
  const collect = () => {
    for (const { operation, status, ms, bytes, cost: points } of waiting.splice(0)) {
      const labels = { operation, status };
      duration.observe(labels, ms / 1000);
      size.observe(labels, bytes);
      if (points !== null) cost.observe({ operation }, points);
    }
  };
  const shared = { registers: [registry], collect };
  const labelNames = ['operation', 'status'] as const;
  const duration = new Histogram({
    name: 'larder_request_duration_seconds',
    help: 'How long GraphQL requests took, by operation (other: not of a trusted document, or beyond the first hundred) and HTTP status (499: the client left before its answer).',
    labelNames,
    buckets: SECONDS,
    ...shared,
  });
  const size = new Histogram({
    name: 'larder_response_size_bytes',
    help: 'How long the bodies of GraphQL responses were before they were compressed, by operation and HTTP status.',
    labelNames,
    buckets: BYTES,
    ...shared,
  });
  const cost = new Histogram({
    name: 'larder_request_cost_points',
    help: 'The static cost of the GraphQL requests that had one, by operation.',
    labelNames: ['operation'],
    buckets: POINTS,
    ...shared,
  });
  const errors = new Counter({
    name: 'larder_request_errors_total',
    help: 'GraphQL requests whose response had an error of this code; a request counts once for each code.',
    labelNames: ['code'],
    registers: [registry],
  });
  for (const code of ALERTED) errors.inc({ code }, 0);
  return channel.subscribe(({ operation, status, ms, bytes, cost: points, errors: codes }) => {
    // These values do not keep the request itself in memory.
    waiting.push({ operation: nameOf(operation), status, ms, bytes, cost: points });
    if (waiting.length === MAX_WAITING) collect();
    for (const code of codes) errors.inc({ code });
  });
}
