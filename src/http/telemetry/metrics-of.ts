import { VERSION } from '../../version.ts';
import type { ServedLarder } from '../options.ts';
import type { MetricsOptions } from './metrics.ts';

/**
 * @param larder a Larder
 * @returns the sources of its metrics
 */
export function metricsOf({ repositories, gauges, channels, health }: ServedLarder): MetricsOptions {
  return { entities: Object.keys(repositories), version: VERSION, channels, ...gauges, outbox: health.outbox };
}
