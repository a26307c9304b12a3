/** What a value's text depends on, and what every pooler keeps for each of its clients, since Postgres reports it. */
export const KEPT_SETTINGS: Readonly<Record<string, string>> = {
  // Sort keys travel as text: one time zone and one date style make that text the same on every connection.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
};

/**
 * What else a session of Larder is told. A pooler of transactions drops it: there the role has it (docs/operations.md), and transactions set
 * it for themselves.
 *
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for as long as it likes
 * @returns the settings of Postgres by name
 */
export function sessionSettings(statementTimeoutMs: number): Record<string, string> {
  return {
    // Values are text, too, and a role or a database may have settings of its own for these.
    IntervalStyle: 'postgres',
    bytea_output: 'hex',
    extra_float_digits: '1',
    statement_timeout: String(statementTimeoutMs),
    // Each statement has the one plan that it was written for; to plan it anew for each request took longer than to run it.
    plan_cache_mode: 'force_generic_plan',
    jit: 'off',
    // A process that was stopped, or whose machine is gone, must not keep its locks for ever.
    idle_in_transaction_session_timeout: String(statementTimeoutMs),
  };
}

/**
 * @param pooled whether a pooler gives each transaction another connection
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for as long as it likes
 * @returns what begins a transaction, to be sent as one message
 */
export function beginning(pooled: boolean, statementTimeoutMs: number): string {
  if (!pooled) return 'begin';
  const settings = Object.entries(sessionSettings(statementTimeoutMs));
  return ['begin', ...settings.map(([name, value]) => `set local ${name} = '${value}'`)].join('; ');
}

/** What the text of values depends on: a statement that says which settings are wrong, in the form that mends them. */
export const WRONG_FOR_VALUES = `select current_user as role, concat_ws(', ',
    case when current_setting('TimeZone') <> 'UTC' then 'TimeZone = ''UTC''' end,
    case when current_setting('DateStyle') <> 'ISO, MDY' then 'DateStyle = ''ISO, MDY''' end,
    case when current_setting('IntervalStyle') <> 'postgres' then 'IntervalStyle = postgres' end,
    case when current_setting('bytea_output') <> 'hex' then 'bytea_output = hex' end,
    case when current_setting('extra_float_digits')::int < 1 then 'extra_float_digits = 1' end) as wrong`;
