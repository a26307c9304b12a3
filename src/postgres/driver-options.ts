import type { PostgresRoute } from './route.ts';
import { KEPT_SETTINGS, sessionSettings } from './session-settings.ts';
import type { PostgresSource } from './source.ts';
import type { PostgresTarget } from './url.ts';

/** Where Postgres is, and the limits of each connection to it. */
export interface ConnectionOptions {
  /** The URL, or a client of the driver. */
  readonly url: PostgresSource;
  /** How long a statement may take at Postgres, in milliseconds; 0 for no limit. */
  readonly statementTimeoutMs: number;
  /** The route to its hosts; a new one when it is left out. Connections that share a route share what it knows about the hosts. */
  readonly route?: PostgresRoute;
}

/** date, time, timestamp and timestamptz. The driver would make a Date, which has no microseconds. */
const AS_TEXT = {
  to: 1184,
  from: [1082, 1083, 1114, 1184],
  serialize: (text: string) => text,
  parse: (text: string) => text,
};

/** Parameters travel as SQL text, in which the driver would not recognise a boolean, json or bytes. */
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
 * Makes the driver's options for every client. Larder opens the sockets itself (route.ts), so the driver is not told the hosts and TLS of
 * the URL.
 *
 * @param target the parts of the URL
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for no limit
 * @returns the options
 */
export function driverOptions(target: PostgresTarget, statementTimeoutMs: number) {
  return {
    user: target.user,
    pass: target.password ?? '',
    database: target.database,
    // Only for the driver's messages.
    host: 'Postgres',
    ssl: false as const,
    prepare: target.prepare,
    // Larder writes arrays as text literals, so the driver need not ask for their types on each new connection.
    fetch_types: false,
    connect_timeout: 5,
    keep_alive: target.keepAliveSeconds ?? 10,
    onnotice: () => {},
    types: { ...AS_GIVEN, time: AS_TEXT },
    connection: {
      application_name: 'larder',
      ...KEPT_SETTINGS,
      // Poolers refuse settings that they cannot keep.
      ...(target.pooled ? {} : sessionSettings(statementTimeoutMs)),
      ...target.settings,
    },
  };
}
