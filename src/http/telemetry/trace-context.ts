import type { IncomingHttpHeaders } from 'node:http';

/** Version, trace id, parent id and flags; later versions may append more. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-|$)/;

/**
 * Reads the distributed trace that a request belongs to (W3C Trace Context, section 3.2).
 *
 * @param headers the request's headers
 * @returns the trace id; `null` when there is no `traceparent`, or it is not well-formed
 */
export function traceIdOf({ traceparent }: IncomingHttpHeaders): string | null {
  return typeof traceparent === 'string' ? (TRACEPARENT.exec(traceparent)?.[1] ?? null) : null;
}

/**
 * @param url a request's target
 * @returns its path without the query string, which may hold variables
 */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
