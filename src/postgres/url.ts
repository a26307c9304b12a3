import { userInfo } from 'node:os';
import { type ConnectionUrl, parseConnectionUrl, parsePort } from '../connection-url.ts';
import { reasonOf } from '../reason-of.ts';
import { WrongValue } from '../wrong-value.ts';
import { isOn, oneOf, parametersOf, secondsOf } from './parameters.ts';
import { type PostgresTls, tlsOf } from './tls.ts';

/** The wanted kind of server, in libpq's words. */
export const SESSION_ATTRS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;

/** A server to try. */
export type PostgresHost =
  | { readonly path: string }
  | {
      /** The name in the URL, which a certificate must have. */
      readonly host: string;
      /** The address to connect to. */
      readonly address: string;
      readonly port: number;
    };

/** The parts of a Postgres URL. */
export interface PostgresTarget {
  readonly hosts: readonly PostgresHost[];
  readonly user: string;
  /** The password, or a function that finds it for each connection; `null` for none. */
  readonly password: string | (() => string | Promise<string>) | null;
  readonly database: string;
  readonly sessionAttrs: (typeof SESSION_ATTRS)[number];
  /** Whether to begin with a random host. */
  readonly shuffled: boolean;
  readonly tls: PostgresTls;
  /** How long one host may take, in milliseconds; `null` for the default. */
  readonly connectTimeoutMs: number | null;
  /** How long to wait before the first probe, in seconds; 0 for no probes, `null` for the default. */
  readonly keepAliveSeconds: number | null;
  /** Whether statements may be prepared by name. */
  readonly prepare: boolean;
  /** Whether a pooler gives each transaction another connection, which keeps no setting of a session. */
  readonly pooled: boolean;
  /** Settings of Postgres for each connection. */
  readonly settings: Readonly<Record<string, string>>;
  /** Parameters that are ignored, in words, for the log. */
  readonly unheeded: readonly string[];
}

/**
 * Parses the URL of a Postgres as libpq does (PostgreSQL documentation, 34.1.1.2 and 34.1.2). It also understands parameters of Prisma,
 * node-postgres and hosting platforms. postgres.js would send unknown ones to the server as settings.
 *
 * @param url such as `postgres://user:secret@a,b:5433/name?target_session_attrs=read-write&sslmode=verify-full`
 * @param env the environment, with libpq's defaults such as PGUSER
 * @returns its parts, with libpq's defaults
 * @throws {WrongValue} naming what is not supported
 */
export function parsePostgresUrl(url: string, env: NodeJS.ProcessEnv = process.env): PostgresTarget {
  const parsed = parseConnectionUrl(url, ['postgres', 'postgresql']);
  const { given, unheeded } = parametersOf(parsed.parameters);
  const user = given.user ?? parsed.user ?? env.PGUSER ?? accountName();
  const pooled = isOn('pgbouncer', given.pgbouncer, false);
  return {
    hosts: hostsOf(parsed, given, env),
    user,
    password: given.password ?? parsed.password ?? env.PGPASSWORD ?? null,
    database: given.dbname ?? (parsed.path.slice(1) || env.PGDATABASE || user),
    sessionAttrs:
      oneOf('target_session_attrs', given.target_session_attrs ?? env.PGTARGETSESSIONATTRS, SESSION_ATTRS) ?? 'any',
    shuffled: oneOf('load_balance_hosts', given.load_balance_hosts, ['disable', 'random']) === 'random',
    tls: tlsOf(given, env),
    connectTimeoutMs: secondsOf('connect_timeout', given.connect_timeout ?? env.PGCONNECT_TIMEOUT, 1000),
    keepAliveSeconds: isOn('keepalives', given.keepalives, true)
      ? secondsOf('keepalives_idle', given.keepalives_idle, 1)
      : 0,
    prepare: isOn('prepared_statements', given.prepared_statements, !pooled),
    pooled,
    settings: settingsOf(given, env),
    unheeded,
  };
}

/** The account of the process. In a container it may have no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    throw new WrongValue(`names no user (${reasonOf(error)})`);
  }
}

function hostsOf(
  { hosts }: ConnectionUrl,
  given: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): PostgresHost[] {
  const written =
    given.host?.split(',').map((host) => ({ host: host.replace(/^\[(.*)\]$/, '$1'), port: null })) ?? hosts;
  const ports = (given.port ?? '').split(',').map(parsePort);
  const addresses = given.hostaddr?.split(',') ?? [];
  if (ports.length > 1 && ports.length !== written.length) {
    throw new WrongValue('the parameter port has not as many ports as there are hosts');
  }
  if (addresses.length > 0 && addresses.length !== written.length) {
    throw new WrongValue('the parameter hostaddr has not as many addresses as there are hosts');
  }
  return written.map((item, i) => {
    const host = item.host || addresses[i] || env.PGHOST || 'localhost';
    const port = (ports.length > 1 ? ports[i] : ports[0]) ?? item.port ?? parsePort(env.PGPORT ?? '') ?? 5432;
    if (host.startsWith('/')) return { path: `${host.replace(/\/$/, '')}/.s.PGSQL.${port}` };
    return { host, address: addresses[i] || host, port };
  });
}

function settingsOf(given: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): Record<string, string> {
  const name = given.application_name ?? env.PGAPPNAME ?? given.fallback_application_name;
  const encoding = given.client_encoding ?? 'utf8';
  if (!/^(utf-?8|unicode|auto)$/i.test(encoding)) throw new WrongValue('client_encoding must be UTF8');
  return {
    ...(name === undefined ? {} : { application_name: name }),
    ...(given.options === undefined ? {} : { options: given.options }),
    // Prisma's parameter. The default schema is not sent, since poolers refuse settings that they do not track.
    ...(given.schema === undefined || given.schema === 'public'
      ? {}
      : { search_path: `"${given.schema.replaceAll('"', '""')}"` }),
  };
}
