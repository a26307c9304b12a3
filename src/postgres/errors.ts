/** Postgres could not answer in time or at all. The message has no SQL and no parameter, so it may be logged anywhere. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

/** The client no longer waits for the answer, so Postgres was not asked. */
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

/** No host of the database's URL accepted a connection as the URL demands. */
export class PostgresUnreachable extends Error {
  override name = 'PostgresUnreachable';
  /** The system's code for the first failure, such as `ECONNREFUSED`. */
  readonly code: string;

  /** @param failures the error of each host; their messages name the host */
  constructor(failures: readonly Error[]) {
    super(failures.map((failure) => failure.message).join('; '), { cause: failures[0] });
    const { code = '' } = failures[0] as NodeJS.ErrnoException;
    this.code = /^E[A-Z]+$/.test(code) ? code : 'CONNECT_FAILED';
  }
}

/**
 * A table has changed since a statement was planned on this connection ("cached plan must not change result type"). Everything under way
 * there has failed, and succeeds on a new connection.
 */
export class PlanOutdated extends ConnectionLost {
  override name = 'PlanOutdated';
}

/**
 * @param error what a statement has thrown
 * @returns whether its plan is outdated. Postgres has no code for that alone. The driver sends such a statement again, unless a pooler had
 *   it from another client
 */
export function isPlanOutdated(error: Error): boolean {
  return 'routine' in error && error.routine === 'RevalidateCachedQuery';
}

/** A write broke a constraint of the schema. The message has the constraint's name and no value. */
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
 * The driver's and Postgres' codes that mean "not now" rather than "this statement is wrong". They mean that there is no connection, or
 * that the server is read-only, refuses the login, or shuts down. Or a transaction waited or was idle for too long, or met a deadlock. Or
 * resources are exhausted, or a disk is broken.
 */
const UNAVAILABLE = /^(E[A-Z_]+$|CONNECT|08|25006|25P03|28|3D|40|53|55P03|57|58)/;

/**
 * Classifies an error of the driver. The driver's errors carry the statement and its parameters, which must not get further than the log.
 *
 * @param error what the driver threw
 * @returns an error that names what happened, or the same one when it is unforeseen
 */
export function databaseError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  // None of these messages quotes a value. Without the message, all of a pooler's reasons would be 08P01.
  if (UNAVAILABLE.test(code)) return new DatabaseUnavailable(`Postgres is not available (${code}): ${error.message}`);
  if (code.startsWith('23') && 'constraint_name' in error)
    return new ConstraintViolation(String(error.constraint_name));
  return error;
}

/**
 * Codes for a value that a type or an operator does not take: all of class 22, what a domain forbids (23), and what is too large or nested
 * too deeply (Postgres' manual, appendix A).
 */
const NO_VALUE = /^(2[23]|5400[01])/;

/** What refuses a text search with too many operators in a row. Postgres has no code for that alone. */
const SEARCH_REFUSED = 'pushOpStack';

/**
 * @param error what a statement that reads has thrown
 * @returns whether a value is to blame: a parameter, or one in a row
 */
export function isValueRefused(error: unknown): boolean {
  // Whoever only reads can break no constraint but that of a domain.
  if (error instanceof ConstraintViolation) return true;
  if (!(error instanceof Error && 'code' in error)) return false;
  return NO_VALUE.test(String(error.code)) || ('routine' in error && error.routine === SEARCH_REFUSED);
}
