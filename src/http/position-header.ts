import type { IncomingHttpHeaders } from 'node:http';
import { parsePosition } from '../repository/context.ts';
import { RequestRefused } from './errors/request-refused.ts';

/** Says, on an answer to a mutation, what its client has to have seen, and on a request what the client has been told so. */
export const POSITION_HEADER = 'larder-position';

/**
 * @param headers a request's headers
 * @returns what the request must see; `null` when it says nothing
 * @throws {RequestRefused} 400 for what no answer has said
 */
export function positionOf(headers: IncomingHttpHeaders): string | null {
  const given = headers[POSITION_HEADER];
  if (given === undefined || given === '') return null;
  const position = typeof given === 'string' ? parsePosition(given) : null;
  if (position !== null) return position;
  const message = `Expected the header ${POSITION_HEADER} to be as the answer to a mutation gave it.`;
  throw new RequestRefused(400, 'BAD_POSITION', message);
}
