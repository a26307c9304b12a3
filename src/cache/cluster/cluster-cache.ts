import { sleep } from '../../clock.ts';
import type { Trace } from '../../trace/trace.ts';
import { DEAF_MS } from '../bus/acknowledgers.ts';
import { cacheKey } from '../cache-key.ts';
import type { CacheOptions } from '../cache-options.ts';
import { EntityCache } from '../entity-cache.ts';
import type { Body, EntitySpace } from '../entry.ts';
import type { Loader, Stays, Want } from '../read-through.ts';
import { jointLoad } from './joint-load.ts';
import type { ClusterNode } from './node.ts';
import type { ClusterNodes } from './nodes.ts';

/** How often keys are sent after their slots. */
const ATTEMPTS = 4;

/** How long a node may say that it has a slot when another one says so already, in milliseconds. */
const HANDOVER_MS = 250;

const NONE: ReadonlySet<string> = new Set();

/** Reads entities through memory, the nodes of a cluster and Postgres. Each node is asked for what is in its slots, all at once. */
export class ClusterCache extends EntityCache {
  readonly #nodes: () => ClusterNodes;
  readonly #prefix: string;
  readonly #memoryTtlMs: number;

  /**
   * @param options the memory, and how long things are kept
   * @param nodes the nodes, which know the cache, too
   */
  constructor(options: Omit<CacheOptions, 'redis' | 'bus'>, nodes: () => ClusterNodes) {
    super({ ...options, redis: null, bus: null });
    this.#nodes = nodes;
    this.#prefix = options.prefix;
    this.#memoryTtlMs = options.memoryTtlMs;
  }

  /** Whether all nodes are used that answer. */
  override get admitted(): boolean {
    const fresh = this.#nodes().all.filter(({ isFresh }) => isFresh);
    return fresh.length > 0 && fresh.every(({ cache }) => cache.admitted);
  }

  /**
   * Where the slot was another node's, what was read before may have been ended there, and nobody have told. What is heard from the node
   * that has it now counts for what was read since. One that says itself that it has it no more is not heard: who has it then says elsewhere
   * what changes.
   */
  override covers(key: string, since: number): boolean {
    const held = this.#nodes().ownershipOf(key);
    return held?.isClaimed === true && since >= held.since && held.owner.cache.covers(key, since);
  }

  /** Lists bring nothing along: what they bring is put into one Redis, not into the nodes of a cluster. */
  override lacks(): boolean {
    return false;
  }

  override async readThrough(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    stays: Stays | null,
    known = 0,
  ): Promise<Map<string, Body | null>> {
    const nodes = this.#nodes();
    const parts = new Map<ClusterNode | null, Want[]>();
    for (const want of wants) {
      const owner = nodes.ownerOf(cacheKey(this.#prefix, space.entity, want.id));
      const part = parts.get(owner);
      if (part === undefined) parts.set(owner, [want]);
      else part.push(want);
    }
    // What is in nobody's slots comes from Postgres, as what Redis cannot answer does.
    const read = (owner: ClusterNode | null, part: readonly Want[], loadPart: Loader) => {
      if (owner !== null) return owner.cache.readThrough(space, part, loadPart, trace, stays, known);
      trace.entity(space.entity).bypassed += part.length;
      return super.readThrough(space, part, loadPart, trace, stays, known);
    };
    const [only] = parts;
    if (parts.size === 1 && only !== undefined) return read(only[0], only[1], load);
    const join = jointLoad(load, parts.size, trace);
    const reads = [...parts].map(([owner, part]) => join((loadPart) => read(owner, part, loadPart)));
    const found = new Map<string, Body | null>();
    for (const bodies of await Promise.all(reads)) for (const [id, body] of bodies) found.set(id, body);
    return found;
  }

  /**
   * As every cache, at the nodes that have the slots. A process that does not know yet who has a slot is not heard where the new owner
   * publishes: it believes nothing of its memory when the old one has not confirmed the slot for a while, and so long is waited.
   */
  override async announce(keys: readonly string[], wait: boolean): Promise<ReadonlySet<string>> {
    const nodes = this.#nodes();
    const { clock } = this;
    let left = [...keys];
    let failure: unknown = null;
    // Whatever cannot be told, the others are.
    for (let attempt = 1; left.length > 0; attempt += 1) {
      const parts = new Map<ClusterNode, string[]>();
      for (const key of left) {
        const owner = nodes.ownerOf(key);
        const part = owner === null ? undefined : parts.get(owner);
        if (owner === null) failure ??= new Error('No node of the cluster is known to have the slots of what changed.');
        else if (part === undefined) parts.set(owner, [key]);
        else part.push(key);
      }
      const told = await Promise.allSettled([...parts].map(([owner, part]) => owner.cache.announce(part, wait)));
      left = [];
      for (const one of told) {
        if (one.status === 'rejected') failure ??= one.reason;
        else left = left.concat([...one.value]);
      }
      if (left.length === 0) break;
      if (attempt === ATTEMPTS) {
        failure ??= new Error('The slots of what changed move too fast to be told.');
        break;
      }
      await nodes.look();
    }
    if (failure !== null) throw failure;
    if (!wait) return NONE;
    const since = keys.reduce((latest, key) => Math.max(latest, nodes.ownershipOf(key)?.since ?? 0), 0);
    const until = since + Math.max(this.#memoryTtlMs, DEAF_MS) + HANDOVER_MS;
    if (clock.now() < until) await sleep(clock, until - clock.now());
    return NONE;
  }
}
