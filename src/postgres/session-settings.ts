/** Settings that the text of values depends on. Every pooler keeps them for each client, since Postgres reports them. */
export const KEPT_SETTINGS: Readonly<Record<string, string>> = {
  // Sort keys travel as text. One time zone and one date style make that text the same on every connection.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  // The driver knows no other.
  client_encoding: 'UTF8',
};

/** How long `statement_timeout` may take to act before Larder no longer waits, in milliseconds. */
export const GRACE_MS = 250;

/**
 * The other settings of a session. A pooler of transactions drops them. There the role has them (docs/operations.md), and transactions set
 * them for themselves.
 *
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for no limit
 * @returns the settings of Postgres by name
 */
export function sessionSettings(statementTimeoutMs: number): Record<string, string> {
  return {
    // Values travel as text, too. A role or a database may set these otherwise.
    IntervalStyle: 'postgres',
    bytea_output: 'hex',
    extra_float_digits: '1',
    statement_timeout: String(statementTimeoutMs),
    // Each statement is written for one plan. Planning it for each request would take longer than running it.
    plan_cache_mode: 'force_generic_plan',
    jit: 'off',
    // A process that was stopped, or whose machine is gone, must not keep its locks for ever.
    idle_in_transaction_session_timeout: String(statementTimeoutMs),
  };
}

/**
 * @param pooled whether a pooler gives each transaction another connection
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for no limit
 * @returns the commands that begin a transaction, to be sent as one message
 */
export function beginning(pooled: boolean, statementTimeoutMs: number): string {
  if (!pooled) return 'begin';
  const settings = Object.entries(sessionSettings(statementTimeoutMs));
  return ['begin', ...settings.map(([name, value]) => `set local ${name} = '${value}'`)].join('; ');
}

/** A statement that finds settings which would change the text of values, and gives the SQL that mends them. */
export const WRONG_FOR_VALUES = `select current_user as role, concat_ws(', ',
    case when current_setting('TimeZone') <> 'UTC' then 'TimeZone = ''UTC''' end,
    case when current_setting('DateStyle') <> 'ISO, MDY' then 'DateStyle = ''ISO, MDY''' end,
    case when current_setting('IntervalStyle') <> 'postgres' then 'IntervalStyle = postgres' end,
    case when current_setting('bytea_output') <> 'hex' then 'bytea_output = hex' end,
    case when current_setting('extra_float_digits')::int < 1 then 'extra_float_digits = 1' end) as wrong`;
