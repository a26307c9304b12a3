import type { WalPosition } from './wal-position.ts';

/** How many looks at the primary are remembered. */
const MOST = 256;

/** Where the log of the primary ended at which times. It tells how old the state of a replica is, by this process' clock alone. */
export class KnownPositions {
  readonly #known: { readonly at: number; readonly position: WalPosition }[] = [];

  /** The last position; `null` before the first look. */
  get last(): WalPosition | null {
    return this.#known.at(-1)?.position ?? null;
  }

  /**
   * @param at when the primary was asked, in milliseconds on the monotonic clock; everything committed before that lies before `position`
   * @param position the end of its log
   */
  note(at: number, position: WalPosition): void {
    this.#known.push({ at, position });
    if (this.#known.length > MOST) this.#known.shift();
  }

  /**
   * @param replayed the position that a replica has reached
   * @returns as of when it has everything that was committed, in milliseconds on the monotonic clock; `null` when that is too long ago
   */
  asOf(replayed: WalPosition): number | null {
    return this.#known.findLast(({ position }) => position <= replayed)?.at ?? null;
  }
}
