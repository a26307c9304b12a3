import type { PostgresRoute } from './route.ts';
import { KEPT_SETTINGS, sessionSettings } from './session-settings.ts';
import type { PostgresSource } from './source.ts';
import type { PostgresTarget } from './url.ts';

/** Where Postgres is and what each connection to it is told. */
export interface ConnectionOptions {
  /** The address, or a client of the driver that knows it. */
  readonly url: PostgresSource;
  /** How long a statement may take at Postgres, in milliseconds; 0 for as long as it likes. */
  readonly statementTimeoutMs: number;
  /** The way there; one's own when it is not given. Whoever shares it profits from what others found out about the hosts. */
  readonly route?: PostgresRoute;
}

/** date, time, timestamp and timestamptz: the driver would make a Date of them, which has no microseconds. */
const AS_TEXT = {
  to: 1184,
  from: [1082, 1083, 1114, 1184],
  serialize: (text: string) => text,
  parse: (text: string) => text,
};

/** Parameters travel as SQL text, in which the driver would not see a boolean, json or bytes. */
const AS_GIVEN = {
  boolean: { to: 16, from: [16], serialize: String, parse: (text: string) => text === 't' },
  json: { to: 114, from: [114, 3802], serialize: String, parse: (text: string): unknown => JSON.parse(text) },
  bytea: {
    to: 17,
    from: [17],
    serialize: (value: string | Uint8Array) =>
      typeof value === 'string' ? value : `\\x${Buffer.from(value).toString('hex')}`,
    parse: (text: string) => Buffer.from(text.slice(2), 'hex'),
  },
};

/**
 * The driver's options for every client of ours. Sockets are ours, too (route.ts): the driver is not told what the URL
 * says of hosts and TLS.
 *
 * @param target what the URL says
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for as long as it likes
 * @returns the options
 */
export function driverOptions(target: PostgresTarget, statementTimeoutMs: number) {
  return {
    user: target.user,
    pass: target.password ?? '',
    database: target.database,
    // For its messages alone.
    host: 'Postgres',
    ssl: false as const,
    prepare: target.prepare,
    // Array types travel as text literals that we write, so the driver need not ask for them on each new connection.
    fetch_types: false,
    connect_timeout: 5,
    keep_alive: target.keepAliveSeconds ?? 10,
    onnotice: () => {},
    types: { ...AS_GIVEN, time: AS_TEXT },
    connection: {
      application_name: 'larder',
      ...KEPT_SETTINGS,
      // Poolers refuse what they cannot keep.
      ...(target.pooled ? {} : sessionSettings(statementTimeoutMs)),
      ...target.settings,
    },
  };
}
