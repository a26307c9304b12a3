/** Postgres could not answer in time or at all. Carries no SQL and no parameter, so it may be logged anywhere. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

/** Nobody waits for the answer any more, so that nobody asked. */
export class Abandoned extends DatabaseUnavailable {
  override name = 'Abandoned';
}

/** A connection ended, or was given up, before the answer came. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
  readonly code = 'CONNECTION_LOST';

  constructor() {
    super('The connection to Postgres was lost.');
  }
}

/** No host of the database's URL could be connected to as the URL says. */
export class PostgresUnreachable extends Error {
  override name = 'PostgresUnreachable';
  /** The system's word for the first failure, such as `ECONNREFUSED`. */
  readonly code: string;

  /** @param failures why, of each host; their messages name it */
  constructor(failures: readonly Error[]) {
    super(failures.map((failure) => failure.message).join('; '), { cause: failures[0] });
    const { code = '' } = failures[0] as NodeJS.ErrnoException;
    this.code = /^E[A-Z]+$/.test(code) ? code : 'CONNECT_FAILED';
  }
}

/**
 * A table has changed since a statement was planned on this connection ("cached plan must not change result type"): whatever was under way
 * there has come to nothing, and succeeds on a new connection.
 */
export class PlanOutdated extends ConnectionLost {
  override name = 'PlanOutdated';
}

/**
 * @param error what a statement has thrown
 * @returns whether its plan is outdated; Postgres names no code for that alone. The driver sends such a statement again, unless a pooler had
 *   it from another client
 */
export function isPlanOutdated(error: Error): boolean {
  return 'routine' in error && error.routine === 'RevalidateCachedQuery';
}

/** A write broke a constraint of the schema. Carries the constraint's name and no value. */
export class ConstraintViolation extends Error {
  override name = 'ConstraintViolation';
  readonly constraint: string;

  /** @param constraint the constraint's name */
  constructor(constraint: string) {
    super(`The constraint ${constraint} does not allow it.`);
    this.constraint = constraint;
  }
}

/**
 * The driver's and Postgres' codes that mean "not now" rather than "this statement is wrong": no connection, a server that
 * takes no writes or does not let us in, a transaction that waited or was idle for too long, a deadlock, no resources, a shutdown, a broken disk.
 */
const UNAVAILABLE = /^(E[A-Z_]+$|CONNECT|08|25006|25P03|28|3D|40|53|55P03|57|58)/;

/**
 * Sorts what the driver threw. Its errors carry the statement and its parameters, which must not travel further than
 * the log.
 *
 * @param error what the driver threw
 * @returns an error that names what happened, or the same one when nobody foresaw it
 */
export function databaseError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  // None of these messages quotes a value; without it, a pooler's reasons would all be 08P01.
  if (UNAVAILABLE.test(code)) return new DatabaseUnavailable(`Postgres is not available (${code}): ${error.message}`);
  if (code.startsWith('23') && 'constraint_name' in error)
    return new ConstraintViolation(String(error.constraint_name));
  return error;
}

/** Text that is no value of a type, or none that it has room for (Postgres' manual, appendix A). */
const NO_VALUE = ['22P02', '22P05', '22000', '22003', '22007', '22008', '22009', '22015', '22021', '22023'];

/**
 * @param error what a statement has thrown
 * @returns whether Postgres was given text that is no value of the type it is for
 */
export function isValueRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_VALUE.includes(String(error.code));
}
