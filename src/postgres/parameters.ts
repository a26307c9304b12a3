import { WrongValue } from '../wrong-value.ts';

/** The parameters that are heeded. */
const HEEDED = [
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'target_session_attrs', 'load_balance_hosts'],
  ...['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslcrl', 'sslsni', 'sslnegotiation'],
  ...['ssl_min_protocol_version', 'ssl_max_protocol_version', 'connect_timeout', 'keepalives', 'keepalives_idle'],
  ...['application_name', 'fallback_application_name', 'options', 'schema', 'client_encoding'],
  ...['pgbouncer', 'prepared_statements'],
];

/** Parameters that change nothing here, and what does in their place; `null` where there is nothing to say. */
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

/** Parameters with the values that mean what is done anyway. Any other is refused. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  gssencmode: ['disable', 'prefer'],
  replication: ['false', 'off', 'no', '0'],
  sslcertmode: ['allow', 'disable'],
  require_auth: [''],
};

/**
 * Sorts the parameters of a Postgres URL.
 *
 * @param parameters what stands in it
 * @returns those that are heeded, and in words those that are not
 * @throws {WrongValue} naming those that are not understood
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
      if (reason != null) unheeded.push(`${name} is not heeded: ${reason}`);
    } else unknown.push(name);
  }
  if (unknown.length > 0) {
    throw new WrongValue(
      `does not understand ${unknown.map((name) => JSON.stringify(name)).join(', ')}; take it out, or if it is a setting of the server, write options=-c%20${unknown[0]}=…`,
    );
  }
  return { given, unheeded };
}

/**
 * @param name the parameter, for the message
 * @param value its value; `undefined` when it is not given
 * @param values those that there are
 * @returns the value
 * @throws {WrongValue} when it is none of them
 */
export function oneOf<T extends string>(name: string, value: string | undefined, values: readonly T[]): T | undefined {
  const found = values.find((candidate) => candidate === value);
  if (value === undefined || found !== undefined) return found;
  throw new WrongValue(`${name} must be one of ${values.join(', ')}`);
}

/** As `oneOf`, for what is on or off. */
export function isOn(name: string, value: string | undefined, otherwise: boolean): boolean {
  const known = oneOf(name, value, ['true', '1', 'on', 'yes', 'false', '0', 'off', 'no']);
  return known === undefined ? otherwise : ['true', '1', 'on', 'yes'].includes(known);
}

/**
 * @param name the parameter, for the message
 * @param value seconds in digits; `undefined` when it is not given
 * @param unit how many of what is returned make a second
 * @returns the time; `null` when it is not given, or 0, which leaves it to us
 * @throws {WrongValue} when it is no number of seconds
 */
export function secondsOf(name: string, value: string | undefined, unit: number): number | null {
  if (value === undefined || value === '') return null;
  if (!/^-?\d{1,6}$/.test(value)) throw new WrongValue(`${name} must be a whole number of seconds`);
  return Number(value) > 0 ? Number(value) * unit : null;
}
