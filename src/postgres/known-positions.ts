import type { WalPosition } from './wal-position.ts';

/** How many looks at the primary are remembered. */
const MOST = 256;

/** Where the log of the primary was known to end, and when: what tells how old the state of a replica is. No clock but ours is asked. */
export class KnownPositions {
  readonly #known: { readonly at: number; readonly position: WalPosition }[] = [];

  /** The last place; `null` before the first look. */
  get last(): WalPosition | null {
    return this.#known.at(-1)?.position ?? null;
  }

  /**
   * @param at when the primary was asked, in milliseconds on the monotonic clock: what was committed before lies before `position`
   * @param position where its log ended
   */
  note(at: number, position: WalPosition): void {
    this.#known.push({ at, position });
    if (this.#known.length > MOST) this.#known.shift();
  }

  /**
   * @param replayed how far a replica has come
   * @returns as of when it has all that was committed, in milliseconds on the monotonic clock; `null` when that is too long ago
   */
  asOf(replayed: WalPosition): number | null {
    return this.#known.findLast(({ position }) => position <= replayed)?.at ?? null;
  }
}
