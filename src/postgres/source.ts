import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { WrongValue } from '../wrong-value.ts';
import type { PostgresTls } from './tls.ts';
import { type PostgresTarget, parsePostgresUrl, SESSION_ATTRS } from './url.ts';

/** A client of postgres.js, of which the options are looked at. */
export interface PostgresClient {
  readonly options: object;
}

/** Where Postgres is: its address, or a client of the driver that knows it. */
export type PostgresSource = string | PostgresClient;

/** What postgres.js makes of its options. */
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

/** The driver's own defaults, which nobody meant: an application's name, and seconds to connect. */
const DRIVER_NAME = 'postgres.js';
const DRIVER_TIMEOUT = 30;

/**
 * @param source where Postgres is
 * @returns what that says
 * @throws {WrongValue} naming what is not understood
 */
export function targetOf(source: PostgresSource): PostgresTarget {
  return typeof source === 'string' ? parsePostgresUrl(source) : targetOfClient(source.options as ClientOptions);
}

/** Where a client connects, as whom, and how: each connection of ours has settings of its own, and so none of the client's is used. */
function targetOfClient(options: ClientOptions): PostgresTarget {
  const { host, port, path, connection, connect_timeout: timeout } = options;
  if (!Array.isArray(host)) throw new WrongValue('is no client of postgres.js');
  if (options.socket != null)
    throw new WrongValue('makes its sockets by itself; give the address of Postgres as a URL');
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

/** As the driver does it: its words without `verify` look at no certificate. */
function tlsOfClient({ ssl, sslnegotiation }: ClientOptions): PostgresTls {
  const lax = ssl === 'require' || ssl === 'allow' || ssl === 'prefer';
  return {
    mode: ssl === false ? 'disable' : ssl === 'allow' || ssl === 'prefer' ? 'prefer' : 'require',
    direct: sslnegotiation === 'direct',
    options: (host) => ({
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(sslnegotiation === 'direct' ? { ALPNProtocols: ['postgresql'] } : {}),
      rejectUnauthorized: !lax,
      // Node would check the name that it sends, and where it sends none, as to an address, `localhost`.
      checkServerIdentity: (_name, certificate) => (lax ? undefined : checkServerIdentity(host, certificate)),
      ...(typeof ssl === 'object' ? ssl : {}),
    }),
  };
}
