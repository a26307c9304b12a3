import { WrongValue } from '../wrong-value.ts';
import { type PostgresSource, targetOf } from './source.ts';
import type { PostgresTarget } from './url.ts';

/**
 * @param source where a replica is
 * @returns what that says
 * @throws {WrongValue} naming what is not understood, or that it is not one server: how far one has come says nothing of another
 */
export function replicaTargetOf(source: PostgresSource): PostgresTarget {
  const target = targetOf(source);
  if (target.hosts.length === 1) return target;
  throw new WrongValue(
    `expected one host for each replica, got ${target.hosts.length}: give each an address of its own`,
  );
}
