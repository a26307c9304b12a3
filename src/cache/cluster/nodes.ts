import type { Clock } from '../../clock.ts';
import type { ClusterNode } from './node.ts';
import { hasSlot, SLOTS, slotOf } from './slots.ts';
import type { NodeView } from './view.ts';

/** How often each node is asked what it sees, in milliseconds. */
const LOOK_MS = 250;

/** What is done about a node while it is there; what it returns is done when it is gone. */
export type Attendant = (node: ClusterNode) => () => Promise<void>;

/** How nodes are found and made. */
export interface NodesOptions {
  /** Asks nodes that may be there which masters there are; `null` when none of them answers. */
  readonly seek: () => Promise<readonly NodeView[] | null>;
  /** Makes what a node is to this process; `null` when nobody knows where to reach it, which has been told. */
  readonly make: (view: NodeView) => ClusterNode | null;
  readonly clock: Clock;
}

/**
 * The masters of a cluster, and which of them has which slot. Each is asked four times a second, and believed about its own slots alone: of two
 * that have the same, the one with the newer epoch is right, and whoever answers is more so than who does not.
 */
export class ClusterNodes {
  readonly #options: NodesOptions;
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #owners: (ClusterNode | null)[] = Array(SLOTS).fill(null);
  /** When each slot got its owner, as far as this process knows, in milliseconds on the monotonic clock. */
  readonly #movedAt = new Float64Array(SLOTS);
  readonly #attendants = new Map<Attendant, Map<ClusterNode, () => Promise<void>>>();
  #claims = '';
  #looking: Promise<void> | null = null;
  #endLooks: () => void;
  #closed = false;

  /**
   * Begins to look for nodes.
   *
   * @param options how they are found and made
   */
  constructor(options: NodesOptions) {
    this.#options = options;
    this.#endLooks = options.clock.tick(LOOK_MS, () => void this.look());
    void this.look();
  }

  /** All masters that are known. */
  get all(): readonly ClusterNode[] {
    return [...this.#nodes.values()];
  }

  /**
   * @param key a key
   * @returns the master that has its slot; `null` when none is known to
   */
  ownerOf(key: string): ClusterNode | null {
    return this.#owners[slotOf(key)] ?? null;
  }

  /**
   * @param key a key
   * @returns the master that has its slot, whether it still says so, and since when it has had it at least, in milliseconds on the monotonic
   *   clock; `null` when none is known to
   */
  ownershipOf(
    key: string,
  ): { readonly owner: ClusterNode; readonly isClaimed: boolean; readonly since: number } | null {
    const slot = slotOf(key);
    const owner = this.#owners[slot] ?? null;
    if (owner === null) return null;
    return { owner, isClaimed: hasSlot(owner.claims, slot), since: this.#movedAt[slot] ?? 0 };
  }

  /** How many slots no master is known to have. */
  get uncovered(): number {
    return this.#owners.reduce((count, owner) => (owner === null ? count + 1 : count), 0);
  }

  /** Asks all nodes what they see; who comes while that is under way waits for it. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /**
   * @param attendant called for each node that there is, and each that comes
   * @returns ends what it does for all that are left
   */
  attend(attendant: Attendant): () => Promise<void> {
    const attended = new Map<ClusterNode, () => Promise<void>>();
    this.#attendants.set(attendant, attended);
    for (const node of this.all) attended.set(node, attendant(node));
    return async () => {
      this.#attendants.delete(attendant);
      await Promise.all([...attended.values()].map((end) => end()));
    };
  }

  /** Ends the connections to all nodes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endLooks();
    await this.#looking;
    await Promise.all(this.all.map((node) => node.close()));
  }

  async #look(): Promise<void> {
    await Promise.all(this.all.map((node) => node.look()));
    const fresh = this.all.filter(({ isFresh }) => isFresh);
    const views = fresh.length > 0 ? fresh.map(({ seen }) => seen) : [(await this.#options.seek()) ?? []];
    if (this.#closed) return;
    const listed = new Map<string, NodeView>();
    for (const view of views) for (const node of view) listed.set(node.id, node);
    if (listed.size === 0) return;
    for (const view of listed.values()) this.#meet(view);
    for (const node of this.all) if (!listed.has(node.id)) this.#leave(node);
    this.#share();
  }

  #meet(view: NodeView): void {
    const known = this.#nodes.get(view.id);
    if (known !== undefined) {
      if (known.isFresh) return;
      const { host, port } = known.address;
      if (host === view.address.host && port === view.address.port) {
        if (known.epoch < 0) known.claims = view.ranges;
        return;
      }
      this.#leave(known);
    }
    const node = this.#options.make(view);
    // What is in its slots is read from Postgres.
    if (node === null) return;
    this.#nodes.set(node.id, node);
    for (const [attendant, attended] of this.#attendants) attended.set(node, attendant(node));
  }

  #leave(node: ClusterNode): void {
    this.#nodes.delete(node.id);
    const ends: Promise<void>[] = [];
    for (const attended of this.#attendants.values()) {
      const end = attended.get(node);
      attended.delete(node);
      if (end !== undefined) ends.push(end());
    }
    void Promise.all(ends).finally(() => node.close());
  }

  /** Finds out anew which slot is whose, if anything has been said that could change it. */
  #share(): void {
    const nodes = this.all;
    const claims = JSON.stringify(
      nodes.map(({ id, label, epoch, isFresh, claims }) => [id, label, epoch, isFresh, claims]),
    );
    if (claims === this.#claims) return;
    this.#claims = claims;
    const now = this.#options.clock.now();
    const best: (ClusterNode | undefined)[] = Array(SLOTS);
    for (const node of nodes) {
      for (const { first, last } of node.claims) {
        for (let slot = first; slot <= last; slot += 1) {
          const other = best[slot];
          if (other === undefined || isNewer(node, other)) best[slot] = node;
        }
      }
    }
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const before = this.#owners[slot] ?? null;
      // Whoever had it last is the one to ask, as long as nobody else says that he has it.
      const kept = before !== null && this.#nodes.get(before.id) === before ? before : null;
      const owner = best[slot] ?? kept;
      if (owner === before) continue;
      this.#owners[slot] = owner;
      this.#movedAt[slot] = now;
    }
  }
}

/** Whether what the one says of its slots is newer than what the other says. */
function isNewer(one: ClusterNode, other: ClusterNode): boolean {
  return one.isFresh === other.isFresh ? one.epoch > other.epoch : one.isFresh;
}
