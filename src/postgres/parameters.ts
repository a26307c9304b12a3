import { WrongValue } from '../wrong-value.ts';

/** The parameters that Larder uses. */
const HEEDED = [
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'target_session_attrs', 'load_balance_hosts'],
  ...['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslcrl', 'sslsni', 'sslnegotiation'],
  ...['ssl_min_protocol_version', 'ssl_max_protocol_version', 'connect_timeout', 'keepalives', 'keepalives_idle'],
  ...['application_name', 'fallback_application_name', 'options', 'schema', 'client_encoding'],
  ...['pgbouncer', 'prepared_statements'],
];

/** Parameters that Larder ignores, and what it does instead; `null` where nothing has to be said. */
const UNHEEDED: Readonly<Record<string, string | null>> = {
  connection_limit: 'DATABASE_POOL_SIZE says how many connections there are',
  pool_timeout: 'STATEMENT_TIMEOUT_MS says how long a statement waits for its place',
  socket_timeout: 'STATEMENT_TIMEOUT_MS says how long a statement may take',
  statement_cache_size: 'statements are kept as long as their connection',
  keepalives_interval: 'the system decides it',
  keepalives_count: 'the system decides it',
  tcp_user_timeout: 'STATEMENT_TIMEOUT_MS says how long an answer is waited for',
  sslcompression: null,
  uselibpqcompat: null,
  supa: null,
};

/** Parameters with the only values that Larder supports. It refuses any other. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  gssencmode: ['disable', 'prefer'],
  replication: ['false', 'off', 'no', '0'],
  sslcertmode: ['allow', 'disable'],
  require_auth: [''],
};

/**
 * Sorts the parameters of a Postgres URL.
 *
 * @param parameters the parameters
 * @returns those that are used, and in words those that are ignored
 * @throws {WrongValue} naming unknown ones
 */
export function parametersOf(parameters: ReadonlyMap<string, string>): {
  given: Readonly<Record<string, string>>;
  unheeded: readonly string[];
} {
  const given: Record<string, string> = {};
  const unheeded: string[] = [];
  const unknown: string[] = [];
  for (const [name, value] of parameters) {
    const only = ONLY[name];
    if (HEEDED.includes(name)) given[name] = value;
    else if (name === 'channel_binding') {
      if (oneOf(name, value, ['disable', 'prefer', 'require']) === 'require') {
        unheeded.push(
          'channel_binding=require is not enforced, since the driver knows none: sslmode=verify-full says who answers',
        );
      }
    } else if (only !== undefined) oneOf(name, value, only);
    else if (name in UNHEEDED) {
      const reason = UNHEEDED[name];
      if (reason != null) unheeded.push(`${name} is ignored: ${reason}`);
    } else unknown.push(name);
  }
  if (unknown.length > 0) {
    throw new WrongValue(
      `does not understand ${unknown.map((name) => JSON.stringify(name)).join(', ')}; take it out. A setting of the server is written options=-c%20${unknown[0]}=…`,
    );
  }
  return { given, unheeded };
}

/**
 * @param name the parameter, for the message
 * @param value its value; `undefined` when it is missing
 * @param values the allowed values
 * @returns the value
 * @throws {WrongValue} when it is none of them
 */
export function oneOf<T extends string>(name: string, value: string | undefined, values: readonly T[]): T | undefined {
  const found = values.find((candidate) => candidate === value);
  if (value === undefined || found !== undefined) return found;
  throw new WrongValue(`${name} must be one of ${values.join(', ')}`);
}

/**
 * Reads a parameter that is on or off.
 *
 * @param name the parameter, for the message
 * @param value its value; `undefined` when it is missing
 * @param otherwise the default
 * @returns whether it is on
 * @throws {WrongValue} when it is neither on nor off
 */
export function isOn(name: string, value: string | undefined, otherwise: boolean): boolean {
  const known = oneOf(name, value, ['true', '1', 'on', 'yes', 'false', '0', 'off', 'no']);
  return known === undefined ? otherwise : ['true', '1', 'on', 'yes'].includes(known);
}

/**
 * @param name the parameter, for the message
 * @param value seconds in digits; `undefined` when it is missing
 * @param unit the result's units in a second
 * @returns the time; `null` for the default, when it is missing or 0
 * @throws {WrongValue} when it is no number of seconds
 */
export function secondsOf(name: string, value: string | undefined, unit: number): number | null {
  if (value === undefined || value === '') return null;
  if (!/^-?\d{1,6}$/.test(value)) throw new WrongValue(`${name} must be a whole number of seconds`);
  return Number(value) > 0 ? Number(value) * unit : null;
}
