import type { Address } from '../redis/cluster-place.ts';
import { OutOfStep } from '../redis/replies.ts';
import type { SlotRange } from './slots.ts';

/** A master as some node of the cluster sees it. */
export interface NodeView {
  /** Its id in the cluster. */
  readonly id: string;
  readonly address: Address;
  /** At least one. */
  readonly ranges: readonly SlotRange[];
}

/**
 * @param reply an answer to CLUSTER SLOTS
 * @param host where it came from: a node that does not say where it is, is there
 * @returns the masters that have slots
 * @throws {OutOfStep} when it is no such answer
 */
export function readSlots(reply: unknown, host: string): NodeView[] {
  if (!Array.isArray(reply)) throw new OutOfStep('CLUSTER SLOTS');
  const found = new Map<string, { address: Address; ranges: SlotRange[] }>();
  for (const entry of reply as unknown[]) {
    const [first, last, master] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const [named, port, id] = Array.isArray(master) ? (master as unknown[]) : [];
    if (typeof first !== 'number' || typeof last !== 'number' || typeof port !== 'number' || typeof id !== 'string') {
      throw new OutOfStep('CLUSTER SLOTS');
    }
    const isNamed = typeof named === 'string' && named !== '' && named !== '?';
    const node = found.get(id) ?? { address: { host: isNamed ? named : host, port }, ranges: [] };
    node.ranges.push({ first, last });
    found.set(id, node);
  }
  return [...found].map(([id, node]) => ({ id, ...node }));
}
