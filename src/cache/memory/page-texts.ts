/** A part of a text. A long one is in UTF-8, so that writing it is only a copy. */
export type Piece = string | Buffer;

/** The approximate size of a piece beside its text, in bytes. */
const PIECE_BYTES = 100;

/**
 * The texts that have been written of a page in memory, by the selection of its bodies. A page is known by ids and versions, so its bodies
 * never change, and the texts need no invalidation either. They go when the page goes.
 */
export class PageTexts {
  readonly #room: number;
  readonly #taken: (bytes: number) => void;
  readonly #kept = new Map<object, readonly Piece[]>();
  #bytes = 0;

  /**
   * @param room the most bytes that all texts may take
   * @param taken told how many bytes they take, whenever that changes
   */
  constructor(room: number, taken: (bytes: number) => void) {
    this.#room = room;
    this.#taken = taken;
  }

  /**
   * @param selection the selection, the same object each time
   * @param make writes its text, in pieces
   * @returns the pieces, from an earlier call if they were kept
   */
  of(selection: object, make: () => readonly Piece[]): readonly Piece[] {
    const kept = this.#kept.get(selection);
    if (kept !== undefined) return kept;
    const pieces = make();
    const bytes = pieces.reduce((sum, { length }) => sum + PIECE_BYTES + length, 0);
    if (bytes > this.#room) return pieces;
    if (this.#bytes + bytes > this.#room) {
      this.#kept.clear();
      this.#bytes = 0;
    }
    this.#kept.set(selection, pieces);
    this.#bytes += bytes;
    this.#taken(this.#bytes);
    return pieces;
  }
}
