import type { Replica } from './replica.ts';
import type { WalPosition } from './wal-position.ts';

/**
 * @param replicas replicas that are fit to be read
 * @param position how far one must have come; `null` for no matter how far
 * @returns the one with the least to do, in turn where several have as little; `null` when none has come so far
 */
export function leastBusy(replicas: readonly Replica[], position: WalPosition | null): Replica | null {
  let best: Replica | null = null;
  for (const replica of replicas) {
    if (position !== null && replica.replayed < position) continue;
    if (best === null || replica.load < best.load) best = replica;
    else if (replica.load === best.load && replica.statements < best.statements) best = replica;
  }
  return best;
}
