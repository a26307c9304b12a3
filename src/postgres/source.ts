import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { WrongValue } from '../wrong-value.ts';
import type { PostgresTls } from './tls.ts';
import { type PostgresTarget, parsePostgresUrl, SESSION_ATTRS } from './url.ts';

/** A client of postgres.js, as far as Larder reads its options. */
export interface PostgresClient {
  readonly options: object;
}

/** Where Postgres is: its URL, or a client of the driver. */
export type PostgresSource = string | PostgresClient;

/** The parsed options of postgres.js. */
interface ClientOptions {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
  readonly user: string;
  readonly pass: PostgresTarget['password'];
  readonly database: string;
  readonly ssl: boolean | string | ConnectionOptions;
  readonly sslnegotiation?: string | null;
  readonly target_session_attrs?: PostgresTarget['sessionAttrs'];
  readonly connect_timeout: number;
  readonly keep_alive: number | null;
  readonly prepare: boolean;
  readonly connection: Readonly<Record<string, unknown>>;
  readonly socket?: unknown;
}

/** The driver's own defaults, which nobody chose: an application's name, and seconds to connect. */
const DRIVER_NAME = 'postgres.js';
const DRIVER_TIMEOUT = 30;

/**
 * @param source where Postgres is; in JavaScript it may be unset, such as a variable of the environment that nobody has set
 * @returns the parts of its URL
 * @throws {WrongValue} naming what is not supported
 */
export function targetOf(source: PostgresSource | null | undefined): PostgresTarget {
  if (typeof source === 'string') return parsePostgresUrl(source);
  if (source?.options != null) return targetOfClient(source.options as ClientOptions);
  const got = source === null ? 'null' : typeof source;
  throw new WrongValue(`expected an address as text, or a client of postgres.js, got ${got}`);
}

/** Reads where a client connects, as whom, and how. Its settings of Postgres hold, except those that Larder sets itself (driver.ts). */
function targetOfClient(options: ClientOptions): PostgresTarget {
  const { host, port, path, connection, connect_timeout: timeout } = options;
  if (!Array.isArray(host)) throw new WrongValue('is no client of postgres.js');
  if (options.socket != null) throw new WrongValue('makes its own sockets: give the address of Postgres as a URL');
  const sessionAttrs = SESSION_ATTRS.find((attrs) => attrs === options.target_session_attrs) ?? 'any';
  const { application_name: name, ...settings } = connection;
  return {
    hosts: path ? [{ path }] : host.map((name, i) => ({ host: name, address: name, port: port[i] ?? port[0] ?? 5432 })),
    user: options.user,
    password: options.pass,
    database: options.database,
    sessionAttrs,
    shuffled: false,
    tls: tlsOfClient(options),
    connectTimeoutMs: timeout === DRIVER_TIMEOUT ? null : timeout * 1000,
    keepAliveSeconds: options.keep_alive,
    prepare: options.prepare,
    pooled: false,
    settings: {
      ...(typeof name === 'string' && name !== DRIVER_NAME ? { application_name: name } : {}),
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
    },
    unheeded: [],
  };
}

/** Like the driver: modes without `verify` check no certificate. */
function tlsOfClient({ ssl, sslnegotiation }: ClientOptions): PostgresTls {
  const lax = ssl === 'require' || ssl === 'allow' || ssl === 'prefer';
  return {
    mode: ssl === false ? 'disable' : ssl === 'allow' || ssl === 'prefer' ? 'prefer' : 'require',
    direct: sslnegotiation === 'direct',
    options: (host) => ({
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(sslnegotiation === 'direct' ? { ALPNProtocols: ['postgresql'] } : {}),
      rejectUnauthorized: !lax,
      // Node would check the name that it sends. For an address it sends none, and would check `localhost`.
      checkServerIdentity: (_name, certificate) => (lax ? undefined : checkServerIdentity(host, certificate)),
      ...(typeof ssl === 'object' ? ssl : {}),
    }),
  };
}
