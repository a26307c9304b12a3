import type { IncomingHttpHeaders } from 'node:http';
import { parsePosition } from '../repository/context.ts';
import { RequestRefused } from './errors/request-refused.ts';

/**
 * The header of a position. The answer to a mutation has it, and the client sends it with later requests, which then see at least that
 * mutation.
 */
export const POSITION_HEADER = 'larder-position';

/**
 * @param headers a request's headers
 * @returns the position that the request must see; `null` for none
 * @throws {RequestRefused} 400 for a position that Larder never gave out
 */
export function positionOf(headers: IncomingHttpHeaders): string | null {
  const given = headers[POSITION_HEADER];
  if (given === undefined || given === '') return null;
  const position = typeof given === 'string' ? parsePosition(given) : null;
  if (position !== null) return position;
  const message = `Expected the header ${POSITION_HEADER} to be as the answer to a mutation gave it.`;
  throw new RequestRefused(400, 'BAD_POSITION', message);
}
