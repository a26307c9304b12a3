import { createReadStream } from 'node:fs';
import { problemOf } from './column-text.ts';
import { CsvError, type CsvField, readCsv } from './csv.ts';
import type { DatasetTable } from './dataset.ts';

/** A file of a data set cannot be loaded. The message begins with the file, and the line and column where there is one. */
export class DatasetError extends Error {
  override name = 'DatasetError';
}

const CHUNK_BYTES = 256 * 1024;
const SHOWN_LENGTH = 60;

/**
 * Reads the CSV file of a table and checks each value on its own.
 *
 * @param path the path of the file
 * @param table its table
 * @param onBytes told how many bytes were read, as the rows are taken
 * @returns the rows, without the header
 * @throws {DatasetError} at the first wrong value, when its row is taken
 */
export async function* readCsvTable(
  path: string,
  table: DatasetTable,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<string[]> {
  const columns = Object.entries(table.columns);
  for await (const record of readRecords(path, table, onBytes)) {
    record.forEach((field, i) => {
      const [name, kind] = columns[i] ?? ['', 'text'];
      const problem = problemOf(kind, field.value);
      if (problem !== null) throw errorAt(path, field, `${name} ${show(field.value)} ${problem}`);
    });
    yield record.map((field) => field.value);
  }
}

/**
 * Makes an error about a row that only the database found wrong.
 *
 * @param path the path of the file
 * @param table its table
 * @param row the row of the file; 1 is the one below the header
 * @param column the column to point at
 * @param message what is wrong
 * @returns an error that names the place in the file
 */
export async function errorAtRow(
  path: string,
  table: DatasetTable,
  row: number,
  column: string,
  message: string,
): Promise<DatasetError> {
  let current = 0;
  // Reading the file again is slow, but only failures pay for it. Keeping the place of each value would slow down every load.
  for await (const record of readRecords(path, table, () => {})) {
    current += 1;
    const field = record[Object.keys(table.columns).indexOf(column)];
    if (current === row && field !== undefined) return errorAt(path, field, message);
  }
  return new DatasetError(`${path}: ${message}`);
}

/** The records below the header, each with as many fields as there are columns. */
async function* readRecords(
  path: string,
  table: DatasetTable,
  onBytes: (bytes: number) => void,
): AsyncGenerator<readonly CsvField[]> {
  const names = Object.keys(table.columns);
  let header = true;
  try {
    for await (const record of readCsv(readBytes(path, onBytes))) {
      if (header) refuseOtherHeader(path, record, names);
      else refuseOtherLength(path, record, names);
      if (!header) yield record;
      header = false;
    }
  } catch (error) {
    if (error instanceof CsvError) throw errorAt(path, error, error.message);
    throw error;
  }
  if (header)
    throw errorAt(path, { line: 1, column: 1 }, `the file is empty: its first line must be ${names.join(',')}`);
}

async function* readBytes(path: string, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      onBytes(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw new DatasetError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refuseOtherHeader(path: string, record: readonly CsvField[], names: readonly string[]): void {
  const wrong = record.find((field, i) => field.value !== names[i]) ?? record.at(-1);
  if (wrong === undefined || record.map((field) => field.value).join() === names.join()) return;
  throw errorAt(path, wrong, `the header must be ${names.join(',')}`);
}

function refuseOtherLength(path: string, record: readonly CsvField[], names: readonly string[]): void {
  const last = record.at(-1);
  if (last === undefined || record.length === names.length) return;
  if (record.length === 1 && last.value === '') throw errorAt(path, last, 'the line is empty: remove it');
  const missing = names.slice(record.length);
  if (missing.length > 0) {
    throw errorAt(
      path,
      last,
      `${missing.join(', ')} missing: expected ${names.join(',')}, found ${record.length} of them`,
    );
  }
  const extra = record[names.length] ?? last;
  throw errorAt(path, extra, `one column too many: expected ${names.join(',')}, and then found ${show(extra.value)}`);
}

/** The place is written as compilers do, so that terminals and editors open it. */
function errorAt(
  path: string,
  place: { readonly line: number; readonly column: number },
  message: string,
): DatasetError {
  return new DatasetError(`${path}:${place.line}:${place.column}: ${message}`);
}

function show(value: string): string {
  return JSON.stringify(value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value);
}
