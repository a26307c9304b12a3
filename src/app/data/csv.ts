/** One value of a record and where it begins: the first character of a file is line 1, column 1. */
export interface CsvField {
  readonly value: string;
  readonly line: number;
  readonly column: number;
}

/** The file is not CSV (RFC 4180) from this place on. */
export class CsvError extends Error {
  override name = 'CsvError';
  readonly line: number;
  readonly column: number;

  /**
   * @param line the line, from 1
   * @param column the column, from 1
   * @param message what is wrong
   */
  constructor(line: number, column: number, message: string) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** A quote that is never closed makes one record of the rest of the file. This limit bounds the memory for it. */
const MAX_RECORD_LENGTH = 16 * 1024 * 1024;

/** Matches up to the next special character. It is sticky, so it starts at a given place. */
const UNQUOTED = /[^",\r\n]*/y;

/**
 * Reads RFC 4180 CSV in UTF-8. Quoted fields may hold commas, doubled quotes and line breaks. Lines end in LF or CRLF. A byte order mark is
 * dropped.
 *
 * Larder reads CSV itself, because its errors name the line and column of each field, even in a record of many lines. CSV packages do not
 * tell these.
 *
 * @param chunks the bytes of the file, cut anywhere
 * @returns each record, the header included; memory does not grow with the file
 * @throws {CsvError} at the first character that is not CSV or not UTF-8
 */
export async function* readCsv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly CsvField[]> {
  const records = new Records();
  let tail: Uint8Array = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([tail, chunk]);
    const end = endOfWholeCharacters(bytes);
    tail = bytes.subarray(end);
    const { text, valid } = decode(bytes.subarray(0, end));
    yield* records.push(text, false);
    if (!valid) records.fail('this is not UTF-8: save the file in that encoding');
  }
  if (tail.length > 0) records.fail('the file ends in the middle of a UTF-8 character: it may be incomplete');
  yield* records.push('', true);
}

/** Takes text piece by piece, and gives the records that are complete. */
class Records {
  #text = '';
  #line = 1;
  #atStart = true;

  *push(text: string, last: boolean): Generator<readonly CsvField[]> {
    this.#text += this.#atStart && text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#atStart &&= text === '';
    let start = 0;
    while (start < this.#text.length) {
      const record = readRecord(this.#text, start, this.#line, last);
      if (record === null) break;
      start = record.end;
      this.#line = record.line;
      yield record.fields;
    }
    this.#text = this.#text.slice(start);
    if (this.#text.length > MAX_RECORD_LENGTH) {
      throw new CsvError(
        this.#line,
        1,
        `this record is longer than ${MAX_RECORD_LENGTH} characters: is a quote not closed?`,
      );
    }
  }

  /** Fails at the end of the text so far. */
  fail(message: string): never {
    const lines = this.#text.split('\n');
    throw new CsvError(this.#line + lines.length - 1, (lines.at(-1)?.length ?? 0) + 1, message);
  }
}

interface ReadRecord {
  readonly fields: readonly CsvField[];
  /** Where the next record begins, and its line. */
  readonly end: number;
  readonly line: number;
}

/** Returns `null` when the record may go on beyond the text so far. */
function readRecord(text: string, start: number, startLine: number, last: boolean): ReadRecord | null {
  const fields: CsvField[] = [];
  let line = startLine;
  let lineStart = start;
  let at = start;
  for (;;) {
    const column = at - lineStart + 1;
    const field = text[at] === '"' ? readQuoted(text, at) : readUnquoted(text, at);
    // A field that ends with the text may go on: by another letter, or by the second quote of a pair.
    if (field === null || field.end === text.length) {
      if (!last) return null;
      if (field === null) throw new CsvError(line, column, 'the quote that opens here is never closed');
    }
    fields.push({ value: field.value, line, column });
    for (let i = text.indexOf('\n', at); i !== -1 && i < field.end; i = text.indexOf('\n', i + 1)) {
      line += 1;
      lineStart = i + 1;
    }
    at = field.end;
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    if (at === text.length) return { fields, end: at, line };
    if (text[at] === '\n') return { fields, end: at + 1, line: line + 1 };
    if (text[at] === '\r' && at + 1 === text.length && !last) return null;
    if (text[at] === '\r' && text[at + 1] === '\n') return { fields, end: at + 2, line: line + 1 };
    throw new CsvError(line, at - lineStart + 1, unexpected(text[at]));
  }
}

function readQuoted(text: string, start: number): { value: string; end: number } | null {
  let close = text.indexOf('"', start + 1);
  while (close !== -1 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close === -1) return null;
  return { value: text.slice(start + 1, close).replaceAll('""', '"'), end: close + 1 };
}

function readUnquoted(text: string, start: number): { value: string; end: number } {
  UNQUOTED.lastIndex = start;
  UNQUOTED.test(text);
  const end = UNQUOTED.lastIndex;
  return { value: text.slice(start, end), end };
}

function unexpected(character: string | undefined): string {
  if (character === '\r') return 'a carriage return without a line feed must be inside of quotes';
  if (character === '"')
    return 'a field that holds a quote must begin and end with one, and write the quote inside twice';
  return 'a comma or the end of the line must follow a closing quote';
}

/** The length of the bytes without a character that is cut off at their end. */
function endOfWholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const size = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return size > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

const REPLACEMENT = Buffer.from('\ufffd');

/** Decodes up to the first byte that is not UTF-8. */
function decode(bytes: Buffer): { text: string; valid: boolean } {
  const text = bytes.toString('utf8');
  // Node writes a replacement character for what it cannot read; a file may also hold a real one.
  for (let i = text.indexOf('\ufffd'); i !== -1; i = text.indexOf('\ufffd', i + 1)) {
    const offset = Buffer.byteLength(text.slice(0, i));
    if (!REPLACEMENT.equals(bytes.subarray(offset, offset + REPLACEMENT.length)))
      return { text: text.slice(0, i), valid: false };
  }
  return { text, valid: true };
}
