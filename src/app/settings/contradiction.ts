import { ranges } from '../../index.ts';
import type { Variables } from '../environment.ts';

/** The settings that check tokens. At most one of them is set. */
const KEYS = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWT_JWKS_URL'] as const;

/**
 * Finds two variables that cannot both be meant, although each is valid on its own.
 *
 * @param e the variables, each valid on its own
 * @returns what contradicts what, and what to do; `null` when nothing does
 */
export function contradictionIn(e: Variables): string | null {
  if (e.MAX_STALENESS_MS < e.MEMORY_TTL_MS + ranges.DRAIN_MS) {
    return `MAX_STALENESS_MS is ${e.MAX_STALENESS_MS}, but memory may be ${e.MEMORY_TTL_MS} ms old (MEMORY_TTL_MS) and draining takes up to ${ranges.DRAIN_MS} ms. Set it to at least their sum.`;
  }
  const keys = KEYS.filter((name) => e[name] !== undefined);
  if (keys.length > 1) {
    return `${keys.join(' and ')} are both set: tokens are checked with one of them. Unset the other.`;
  }
  if (e.REQUIRE_AUTH && keys.length === 0) {
    return 'REQUIRE_AUTH is true, but there is no key to check tokens with. Set one of JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL.';
  }
  if (e.PORT !== 0 && e.PORT === e.METRICS_PORT && meet(e.HOST, e.METRICS_HOST)) {
    return `PORT and METRICS_PORT are both ${e.PORT}: GraphQL and /metrics are served on a port each. Change one of them.`;
  }
  const bucket = (e.RATE_POINTS_PER_SECOND ?? Number.POSITIVE_INFINITY) * e.RATE_BUCKET_SECONDS;
  if (bucket < e.MAX_COST) {
    return `A bucket holds ${bucket} points (RATE_POINTS_PER_SECOND times RATE_BUCKET_SECONDS), but a request may cost ${e.MAX_COST} (MAX_COST): some could never be paid. Raise the one or lower the other.`;
  }
  if (e.TRUSTED_DOCUMENTS === 'only' && e.TRUSTED_DOCUMENTS_FILE === undefined) {
    return 'TRUSTED_DOCUMENTS is only, but there are none: no request would be answered. Set TRUSTED_DOCUMENTS_FILE.';
  }
  return null;
}

/** Whether two hosts may share an address, as far as their names tell. */
function meet(one: string, other: string): boolean {
  return one === other || [one, other].some((host) => host === '0.0.0.0' || host === '::');
}
