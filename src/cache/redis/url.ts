import type { ConnectionOptions } from 'node:tls';
import { fileOf, parseConnectionUrl, type UrlHost } from '../../connection-url.ts';
import { WrongValue } from '../../wrong-value.ts';

const TCP = ['redis', 'rediss'];

/** `unix` is redis-py's name, and `redis+socket` is Celery's. */
const SOCKET = ['unix', 'redis+socket'];

/** Sentinels, which know which Redis is the primary. With `rediss` they are asked over TLS, too. */
const SENTINEL = ['redis+sentinel', 'rediss+sentinel'];

/** Nodes of a cluster that know the others, as Lettuce and others call it. */
const CLUSTER = ['redis+cluster', 'rediss+cluster'];

/** The default port of a Sentinel. */
const SENTINEL_PORT = 26_379;

/** Sentinels, as options of ioredis. */
interface Sentinels {
  readonly sentinels: { readonly host: string; readonly port: number }[];
  /** The name of the primary. */
  readonly name: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** Sentinels report a failover. Otherwise the old primary may answer reads as a replica for ever. */
  readonly failoverDetector: true;
  readonly enableTLSForSentinelMode?: boolean;
  readonly tls?: ConnectionOptions;
  readonly sentinelTLS?: ConnectionOptions;
}

/** Nodes of a cluster, which know the others; with TLS all are asked that way. */
interface Nodes {
  readonly cluster: { readonly host: string; readonly port: number }[];
  readonly tls?: ConnectionOptions;
}

/** Where a Redis is, and the account there, as options of ioredis. */
export type RedisAddress = { readonly username?: string; readonly password?: string; readonly db: number } & (
  | Sentinels
  | Nodes
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls?: ConnectionOptions }
);

/**
 * Parses the URL of a Redis. ioredis could do so, too, but misreads what it does not know.
 *
 * @param url such as `rediss://user:secret@host:6379/0`, `unix:///run/redis.sock?db=0`,
 *   `redis+sentinel://one:26379,two:26379/mymaster/0` or `redis+cluster://one:6379,two:6379`
 * @returns the options of ioredis for it
 * @throws {WrongValue} naming what is not supported
 */
export function parseRedisUrl(url: string): RedisAddress {
  const { scheme, user, password, hosts, path, parameters } = parseConnectionUrl(url, [
    ...TCP,
    ...SOCKET,
    ...SENTINEL,
    ...CLUSTER,
  ]);
  const account = {
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
  };
  if (SENTINEL.includes(scheme)) return { ...account, ...sentinelsOf(scheme, hosts, path, parameters) };
  if (CLUSTER.includes(scheme)) return { ...account, ...nodesOf(scheme, hosts, path, parameters) };
  const [first, ...more] = hosts;
  if (first === undefined || more.length > 0) throw new WrongValue('expected one host');
  if (SOCKET.includes(scheme)) {
    if (first.host !== '' || path === '') {
      throw new WrongValue(
        `expected the absolute path of a socket after three slashes, such as ${scheme}:///run/redis.sock`,
      );
    }
    const { db = '0', virtual_host = db, ...others } = Object.fromEntries(parameters);
    expectNone(others);
    return { ...account, path, db: databaseOf(virtual_host) };
  }
  const { db = path.slice(1) || '0', ...rest } = Object.fromEntries(parameters);
  const { tls, others } = tlsOf(rest, scheme === 'rediss');
  expectNone(others);
  return {
    ...account,
    host: first.host || 'localhost',
    port: first.port ?? 6379,
    db: databaseOf(db),
    ...(tls === null ? {} : { tls }),
  };
}

/** Sentinels, the primary's name after them, and the number of its database after that. */
function sentinelsOf(
  scheme: string,
  hosts: readonly UrlHost[],
  path: string,
  parameters: ReadonlyMap<string, string>,
): Sentinels & { readonly db: number } {
  const [, name = '', number = '0', ...more] = path.split('/');
  if (name === '' || more.length > 0 || hosts.some(({ host }) => host === '')) {
    throw new WrongValue(
      `expected the primary's name after the Sentinels, such as ${scheme}://one:26379,two:26379/mymaster`,
    );
  }
  const { db = number, sentinel_username, sentinel_password, ...rest } = Object.fromEntries(parameters);
  const { tls, others } = tlsOf(rest, scheme === 'rediss+sentinel');
  expectNone(others);
  return {
    sentinels: hosts.map(({ host, port }) => ({ host, port: port ?? SENTINEL_PORT })),
    name,
    db: databaseOf(db),
    failoverDetector: true,
    ...(sentinel_username === undefined ? {} : { sentinelUsername: sentinel_username }),
    ...(sentinel_password === undefined ? {} : { sentinelPassword: sentinel_password }),
    ...(tls === null ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

/** Nodes of a cluster. It has one database, and nothing to name beside them. */
function nodesOf(
  scheme: string,
  hosts: readonly UrlHost[],
  path: string,
  parameters: ReadonlyMap<string, string>,
): Nodes & { readonly db: number } {
  const { db = path.slice(1) || '0', ...rest } = Object.fromEntries(parameters);
  if (hosts.some(({ host }) => host === '')) {
    throw new WrongValue(`expected nodes of the cluster, such as ${scheme}://one:6379,two:6379`);
  }
  if (db !== '0') throw new WrongValue('a cluster has the database 0 alone');
  const { tls, others } = tlsOf(rest, scheme === 'rediss+cluster');
  expectNone(others);
  const cluster = hosts.map(({ host, port }) => ({ host, port: port ?? 6379 }));
  return { cluster, db: 0, ...(tls === null ? {} : { tls }) };
}

/** The options of TLS, from parameters in redis-py's words, since no other client has such parameters; `null` without TLS. */
function tlsOf(
  given: Readonly<Record<string, string>>,
  wanted: boolean,
): { readonly tls: ConnectionOptions | null; readonly others: Readonly<Record<string, string>> } {
  const { ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs, ...others } = given;
  if (!wanted) {
    const isSaid = [ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs].some((value) => value !== undefined);
    if (isSaid) throw new WrongValue('certificates are for rediss://');
    return { tls: null, others };
  }
  if ((ssl_certfile === undefined) !== (ssl_keyfile === undefined)) {
    throw new WrongValue('ssl_certfile and ssl_keyfile belong together');
  }
  if (ssl_cert_reqs !== undefined && !['none', 'required'].includes(ssl_cert_reqs)) {
    throw new WrongValue('ssl_cert_reqs must be none or required');
  }
  const tls = {
    ...(ssl_ca_certs === undefined ? {} : { ca: fileOf('ssl_ca_certs', ssl_ca_certs) }),
    ...(ssl_certfile === undefined ? {} : { cert: fileOf('ssl_certfile', ssl_certfile) }),
    ...(ssl_keyfile === undefined ? {} : { key: fileOf('ssl_keyfile', ssl_keyfile) }),
    ...(ssl_cert_reqs === 'none' ? { rejectUnauthorized: false } : {}),
  };
  return { tls, others };
}

function databaseOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new WrongValue('expected the number of a database after the host, such as /0');
}

function expectNone(parameters: Readonly<Record<string, string>>): void {
  const [name] = Object.keys(parameters);
  if (name !== undefined) throw new WrongValue(`does not understand the parameter ${name}`);
}
