/** A part of a text: in UTF-8 where it is long, so that it need only be copied. */
export type Piece = string | Buffer;

/** What a piece takes beside its text, about, in bytes. */
const PIECE_BYTES = 100;

/**
 * What has been written of the bodies of a page that memory holds, by what was selected. A page is known by ids and versions, and its
 * bodies never change: so texts of them need no invalidation either. They go when the page goes.
 */
export class PageTexts {
  readonly #room: number;
  readonly #taken: (bytes: number) => void;
  readonly #kept = new Map<object, readonly Piece[]>();
  #bytes = 0;

  /**
   * @param room how much texts may take together, in bytes
   * @param taken told how much they take, whenever that changes
   */
  constructor(room: number, taken: (bytes: number) => void) {
    this.#room = room;
    this.#taken = taken;
  }

  /**
   * @param selection what is selected, the same object each time
   * @param make writes it, in pieces
   * @returns the pieces, as they were made before if they are kept
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
