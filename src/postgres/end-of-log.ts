import { sql } from 'drizzle-orm';
import { reasonOf } from '../reason-of.ts';
import type { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { KnownPositions } from './known-positions.ts';
import { lookAtWal } from './look-at-wal.ts';
import { run, statement } from './statement.ts';
import { endOfLog, later, parsePosition, type WalPosition } from './wal-position.ts';

/** What the primary says of its log. */
interface Ended {
  readonly position: string;
}

/** More bytes of log than are written between two looks at the primary. */
const MUCH_LOG = 2 ** 30;

const end = statement<Ended>('Primary.position', sql`select pg_current_wal_insert_lsn()::text as position`);

/** What is known of where the log of the primary ends, and has ended. */
export class EndOfLog {
  readonly positions = new KnownPositions();
  readonly #lookAt = lookAtWal<Ended>('Primary.look', sql`pg_current_wal_insert_lsn()::text as position`);
  #system: string | null = null;
  #fault: string | null = null;

  /** The cluster of the primary; `null` when it is not known. */
  get system(): string | null {
    return this.#system;
  }

  /** Why it is not known where the log ends now; `null` when it is. */
  get fault(): string | null {
    return this.#fault;
  }

  /**
   * Asks the primary. Does not throw: a fault is remembered.
   *
   * @param primary the primary, by connections that requests do not use
   */
  async look(primary: Database): Promise<void> {
    const at = primary.clock.now();
    try {
      const looked = await this.#lookAt(primary);
      this.positions.note(at, positionOf(looked));
      this.#system = looked.system;
      this.#fault = null;
    } catch (error) {
      this.#fault = reasonOf(error);
    }
  }

  /**
   * Asks the primary for a request: a replica that has come so far has seen what was committed before.
   *
   * @param primary the primary
   * @param trace the request's trace
   * @returns the place; one that is too late rather than too early where the primary does not say
   */
  async now(primary: Database, trace: Trace): Promise<WalPosition> {
    try {
      const [row] = await run(primary, end, {}, trace);
      return positionOf(row);
    } catch (error) {
      // The commit has not failed. The primary answers requests with this position until replicas have reached it.
      this.#fault = reasonOf(error);
      return later(this.positions.last ?? '0', MUCH_LOG);
    }
  }
}

function positionOf(row: Ended | undefined): WalPosition {
  const position = parsePosition(row?.position ?? '');
  if (position === null) throw new TypeError('The primary does not say where its log ends.');
  return endOfLog(position);
}
