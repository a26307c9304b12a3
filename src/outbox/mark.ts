import type { Share } from '../cache/share.ts';
import type { Domain } from './domains.ts';

/** What a domain's mark says of it. */
type Marked = Pick<Domain, 'id' | 'turn' | 'token' | 'previousToken'>;

/**
 * @param domain a domain as it was read
 * @returns what a process of it presents to Redis
 */
export function shareOf(domain: Domain): Share {
  const { run, generation } = domain;
  return { run, generation, mark: markOf(domain), previousMark: previousMarkOf(domain) };
}

/**
 * @param domain a domain as it was read
 * @returns the mark that Redis holds once it knows the last rotation
 */
export function markOf({ id, turn, token }: Marked): string {
  return `${id} ${turn} ${token}`;
}

/**
 * @param domain a domain as it was read
 * @returns the mark that Redis held before the last rotation
 */
export function previousMarkOf({ id, turn, previousToken }: Marked): string {
  return `${id} ${turn - 1} ${previousToken}`;
}

/**
 * @param held the mark that Redis holds
 * @returns the domain's id and the number of rotations; the id is `null` when it is no mark of Larder
 */
export function decodeMark(held: string): { readonly id: string | null; readonly turn: number } {
  const [, id = null, turn = '0'] = /^([0-9a-f-]{36}) (\d+) \S+$/.exec(held) ?? [];
  return { id, turn: Number(turn) };
}
