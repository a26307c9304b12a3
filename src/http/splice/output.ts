import type { Piece } from './plan.ts';

/**
 * Text is turned into bytes when it has this many characters, because a text that was joined from many parts is slow to read as a whole.
 */
const CHUNK = 4096;

/** The most bytes that UTF-8 needs for a character of a JavaScript string. */
const MAX_BYTES = 3;

/** An answer that is being written. A short one stays a text. */
export class Output {
  #text = '';
  #bytes: Buffer | null = null;
  #length = 0;
  readonly #size: { last: number };

  /** @param size the length of the last answer of its kind, in bytes; updated with the length of this one */
  constructor(size: { last: number }) {
    this.#size = size;
  }

  /** @param text comes next */
  text(text: string): void {
    this.#text += text;
    if (this.#text.length > CHUNK) this.#flush();
  }

  /** @param piece comes next */
  piece(piece: Piece): void {
    if (typeof piece === 'string') this.text(piece);
    else {
      this.#flush();
      this.#room(piece.length).set(piece, this.#length);
      this.#length += piece.length;
    }
  }

  /** @returns everything that was written */
  end(): string | Buffer {
    if (this.#bytes === null) return this.#text;
    this.#flush();
    this.#size.last = this.#length;
    return this.#bytes.subarray(0, this.#length);
  }

  #flush(): void {
    if (this.#text === '') return;
    const bytes = this.#room(this.#text.length * MAX_BYTES);
    this.#length += bytes.write(this.#text, this.#length);
    this.#text = '';
  }

  #room(more: number): Buffer {
    const needed = this.#length + more;
    if (this.#bytes !== null && this.#bytes.length >= needed) return this.#bytes;
    const bytes = Buffer.allocUnsafeSlow(
      Math.max(needed + MAX_BYTES * CHUNK, this.#size.last + 2 * MAX_BYTES * CHUNK, 2 * this.#length),
    );
    this.#bytes?.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
    return bytes;
  }
}
