import type { Names } from '../redis/heartbeat.ts';
import { type SlotRange, tagIn } from './slots.ts';

/**
 * @param prefix put before every key
 * @param id the node's id in the cluster
 * @param ranges its slots
 * @returns what a node's own keys are called, so that they are in its slots: another node that comes to have them finds that they are not its
 */
export function namesOfNode(prefix: string, id: string, ranges: readonly SlotRange[]): Names {
  const nameOf = (what: string) => `${prefix}larder:${what}:{${tagIn(ranges)}}:${id}`;
  return { heartbeat: nameOf('heartbeat'), domain: nameOf('domain') };
}
