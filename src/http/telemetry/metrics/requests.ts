import { Counter, Histogram, type Registry } from 'prom-client';
import type { RequestDone, TypedChannel } from '../../../trace/channels.ts';
import { OTHER } from '../../request-state.ts';

/** Around the objectives: 10 ms for a warm page, 100 ms for the slowest in a hundred, 1 s for what is logged as slow. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
/** Up to the default of MAX_COST. */
const POINTS = [1, 5, 10, 25, 50, 100, 250, 500, 1000];

/** Codes that an alert counts: a counter that is born with its first event hides that event from `increase()`. */
const ALERTED = ['INTERNAL_SERVER_ERROR', 'UNAVAILABLE'];

/**
 * How many requests' figures wait, at most, to be observed together, which is done whenever metrics are read. Observed with each
 * request, when other code has taken the processor's caches, they were 9 % of the CPU time of the smallest; together they cost a
 * tenth of that.
 */
const MAX_WAITING = 256;

/**
 * How many operations have figures of their own, each some forty series: the first that come. A client's trusted documents may be
 * thousands, and Prometheus pays for each series.
 */
const MAX_OPERATIONS = 100;

/** What is observed of a request. */
type Figures = Pick<RequestDone, 'operation' | 'status' | 'ms' | 'bytes' | 'cost'>;

/**
 * What GraphQL requests took, cost and ended in. The operation is named when its document is trusted and `other`
 * otherwise, so that no stranger makes series, and so are those beyond the first hundred.
 *
 * @param registry where the metrics go
 * @param channel tells of requests
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
    help: 'How long GraphQL requests took, by operation (other: not of a trusted document, or beyond the first hundred) and HTTP status.',
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
    // Of the request itself nothing is kept.
    waiting.push({ operation: nameOf(operation), status, ms, bytes, cost: points });
    if (waiting.length === MAX_WAITING) collect();
    for (const code of codes) errors.inc({ code });
  });
}
