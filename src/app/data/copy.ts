import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TransactionSql } from 'postgres';

/** The values of one row as Postgres reads them from text. */
export type TextRow = readonly string[];

/** Rows that arrive one by one. No table has to fit into memory. */
export type TextRows = Iterable<TextRow> | AsyncIterable<TextRow>;

const CHUNK_LENGTH = 64 * 1024;

/**
 * Streams rows into a table by COPY, no faster than Postgres takes them.
 *
 * @param sql the transaction to copy in
 * @param target the table and its columns as SQL, such as `brands (id, name)`
 * @param rows the rows
 * @returns how many rows there were
 * @throws an error of reading the rows, or of Postgres; then the transaction can only be rolled back
 */
export async function copyRows(sql: TransactionSql, target: string, rows: TextRows): Promise<number> {
  const stream = await sql.unsafe(`copy ${target} from stdin`).writable();
  // The error is kept and thrown at the next write. Nobody awaits the stream between two writes, and an 'error' needs a listener.
  let failure: unknown;
  stream.on('error', (error) => {
    failure ??= error;
  });
  let count = 0;
  try {
    let chunk = '';
    for await (const row of rows) {
      chunk += encode(row);
      count += 1;
      if (chunk.length < CHUNK_LENGTH) continue;
      await write(stream, chunk);
      chunk = '';
    }
    await write(stream, chunk);
  } catch (error) {
    // Tells Postgres to forget the COPY.
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    throw failure ?? error;
  }
  await end(sql, stream, target);
  return count;
}

/** Waits until the chunk is on its way, so that at most one chunk is held here. */
async function write(stream: Writable, chunk: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
  // When the socket takes everything at once, nothing above yields to the event loop. Then an error of Postgres would not be noticed.
  await nextTurn();
}

/**
 * The driver drops an error that Postgres reports after the last row, and the stream then never finishes. A statement sent
 * right behind the COPY fails in that case, because the transaction is broken or the connection gone.
 */
async function end(sql: TransactionSql, stream: Writable, target: string): Promise<void> {
  const finished = once(stream, 'finish');
  // Everything is written, so this sends the end of the COPY before it returns.
  stream.end();
  const next = sql`select`.catch((error: unknown) => {
    throw new Error(`Postgres refused rows after it had received all of them (copy ${target}). Its log says why.`, {
      cause: error,
    });
  });
  await Promise.race([finished, next]);
  await next;
}

function encode(row: TextRow): string {
  return `${row.map(escapeValue).join('\t')}\n`;
}

const SPECIAL = /[\\\t\n\r]/;

/** The text format of COPY: one line a row, a tab between values. NULL (`\N`) is never written. */
function escapeValue(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
