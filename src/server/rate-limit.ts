import type { FastifyRequest } from 'fastify';
import { RequestRefused } from './request-refused.ts';

/** What is left of a client's points. */
export interface Throttle {
  readonly allowed: boolean;
  /** Points left in the bucket, the request paid if it was allowed. */
  readonly available: number;
  /** How long until the request can be paid, in milliseconds; 0 when it was. */
  readonly retryAfterMs: number;
}

/** Buckets of points, one for each client, that fill up steadily. */
export interface PointBuckets {
  /** The most that a bucket holds. */
  readonly maximum: number;
  /** How many points flow in, a second. */
  readonly perSecond: number;
  /** Takes points out of a client's bucket when it holds enough. */
  take(client: string, points: number): Promise<Throttle>;
}

/** A client's standing, as `extensions.cost.throttleStatus` shows it. */
export interface ThrottleStatus {
  readonly maximumAvailable: number;
  readonly currentlyAvailable: number;
  readonly restoreRate: number;
}

/**
 * Lets a client pay for a request.
 *
 * @param buckets where the points are
 * @param request the request: its token's subject pays, or else the address that it came from
 * @param cost what it costs
 * @returns the client's standing afterwards
 * @throws {RequestRefused} 429 when the points are used up
 */
export async function pay(buckets: PointBuckets, request: FastifyRequest, cost: number): Promise<ThrottleStatus> {
  const subject = request.viewer?.subject ?? null;
  const client = subject === null ? `address:${request.ip}` : `subject:${subject}`;
  const { allowed, available, retryAfterMs } = await buckets.take(client, cost);
  const throttleStatus = {
    maximumAvailable: buckets.maximum,
    currentlyAvailable: Math.floor(available),
    restoreRate: buckets.perSecond,
  };
  if (!allowed) {
    throw new RequestRefused(429, 'RATE_LIMITED', `This costs ${cost} points, and ${Math.floor(available)} are left.`, {
      extensions: { cost: { requested: cost, throttleStatus } },
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
    });
  }
  return throttleStatus;
}
