import type { Share } from '../cache/share.ts';
import type { Domain } from './domains.ts';

/** What is said of a domain in its mark. */
type Marked = Pick<Domain, 'id' | 'turn' | 'token' | 'previousToken'>;

/**
 * @param domain a domain as it was looked at
 * @returns what a process of it presents to Redis
 */
export function shareOf(domain: Domain): Share {
  const { run, generation } = domain;
  return { run, generation, mark: markOf(domain), previousMark: previousMarkOf(domain) };
}

/**
 * @param domain a domain as it was looked at
 * @returns what Redis holds when it has heard of the last turn
 */
export function markOf({ id, turn, token }: Marked): string {
  return `${id} ${turn} ${token}`;
}

/**
 * @param domain a domain as it was looked at
 * @returns what Redis held before
 */
export function previousMarkOf({ id, turn, previousToken }: Marked): string {
  return `${id} ${turn - 1} ${previousToken}`;
}

/**
 * @param held what Redis holds
 * @returns the domain and the turn; no domain when it is none of our marks
 */
export function decodeMark(held: string): { readonly id: string | null; readonly turn: number } {
  const [, id = null, turn = '0'] = /^([0-9a-f-]{36}) (\d+) \S+$/.exec(held) ?? [];
  return { id, turn: Number(turn) };
}
