import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { RequestRefused } from '../errors/request-refused.ts';

/** What is left of a client's points. */
export interface Throttle {
  readonly allowed: boolean;
  /** Points left in the bucket, after the request paid if it was allowed. */
  readonly available: number;
  /** How long until the request can be paid, in milliseconds; 0 when it was. */
  readonly retryAfterMs: number;
}

/** Buckets of points, one for each client, which fill up steadily. */
export interface PointBuckets {
  /** The most that a bucket holds. */
  readonly maximum: number;
  /** How many points flow in each second. */
  readonly perSecond: number;
  /**
   * Takes points out of a client's bucket, if it holds enough.
   *
   * @param client whose bucket
   * @param points how many
   * @returns what is left, and whether the points were taken
   */
  take(client: string, points: number): Promise<Throttle>;
}

/** A client's standing, as `extensions.cost.throttleStatus` shows it. */
export interface ThrottleStatus {
  readonly maximumAvailable: number;
  readonly currentlyAvailable: number;
  readonly restoreRate: number;
}

/**
 * Charges a client for a request.
 *
 * @param buckets where the points are
 * @param request the request; its token's subject pays, or the address that it came from
 * @param cost the request's cost in points
 * @returns the client's standing afterwards
 * @throws {RequestRefused} 429 when the points are used up
 */
export async function pay(buckets: PointBuckets, request: FastifyRequest, cost: number): Promise<ThrottleStatus> {
  const subject = request.larderViewer?.subject ?? null;
  const client = subject === null ? `address:${networkOf(request.ip)}` : `subject:${subject}`;
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

/**
 * Groups the addresses of one client: a single address of IPv4, or a network of 64 bits of IPv6, within which a client chooses freely.
 *
 * @param address the address that a request came from
 * @returns the same text for all addresses of one client
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  // The URL parser normalizes an address: no leading zeros, no zone.
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail] = host.split('::');
  const left = head.split(':').filter((part) => part !== '');
  const right = (tail ?? '').split(':').filter((part) => part !== '');
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
