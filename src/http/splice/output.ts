import type { Piece } from './plan.ts';

/** Text is put into bytes whenever there is so much of it: what is added up from many parts takes long to be read as a whole. */
const CHUNK = 4096;

/** The most bytes that UTF-8 takes for a character of a JavaScript string. */
const MAX_BYTES = 3;

/** An answer that is being written: short ones remain a text. */
export class Output {
  #text = '';
  #bytes: Buffer | null = null;
  #length = 0;
  readonly #size: { last: number };

  /** @param size how long the last answer of its kind was, in bytes; it is told how long this one is */
  constructor(size: { last: number }) {
    this.#size = size;
  }

  /** @param text what comes next */
  text(text: string): void {
    this.#text += text;
    if (this.#text.length > CHUNK) this.#flush();
  }

  /** @param piece what comes next */
  piece(piece: Piece): void {
    if (typeof piece === 'string') this.text(piece);
    else {
      this.#flush();
      this.#room(piece.length).set(piece, this.#length);
      this.#length += piece.length;
    }
  }

  /** @returns all that was written */
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
