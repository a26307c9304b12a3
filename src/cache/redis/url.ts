import type { ConnectionOptions } from 'node:tls';
import { fileOf, parseConnectionUrl } from '../../connection-url.ts';
import { WrongValue } from '../../wrong-value.ts';

const TCP = ['redis', 'rediss'];

/** `unix` as redis-py and `redis+socket` as Celery call it. */
const SOCKET = ['unix', 'redis+socket'];

/** Where a Redis is and as whom to ask it, in the words of ioredis. */
export type RedisAddress = { readonly username?: string; readonly password?: string; readonly db: number } & (
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls?: ConnectionOptions }
);

/**
 * Reads the address of a Redis. ioredis would read it by itself, but takes what it does not understand for something else.
 *
 * @param url such as `rediss://user:secret@host:6379/0` or `unix:///run/redis.sock?db=0`
 * @returns the options of ioredis for it
 * @throws {WrongValue} naming what is not understood
 */
export function parseRedisUrl(url: string): RedisAddress {
  const { scheme, user, password, hosts, path, parameters } = parseConnectionUrl(url, [...TCP, ...SOCKET]);
  const account = {
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
  };
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
  const {
    db = path.slice(1) || '0',
    ssl_ca_certs,
    ssl_certfile,
    ssl_keyfile,
    ssl_cert_reqs,
    ...others
  } = Object.fromEntries(parameters);
  expectNone(others);
  const tls = tlsOf({ ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs });
  if (scheme !== 'rediss' && Object.keys(tls).length > 0) throw new WrongValue('certificates are for rediss://');
  return {
    ...account,
    host: first.host || 'localhost',
    port: first.port ?? 6379,
    db: databaseOf(db),
    ...(scheme === 'rediss' ? { tls } : {}),
  };
}

/** What is said of certificates, in the words of redis-py: no other client has some for URLs. */
function tlsOf(given: Readonly<Record<string, string | undefined>>): ConnectionOptions {
  const { ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs } = given;
  if ((ssl_certfile === undefined) !== (ssl_keyfile === undefined)) {
    throw new WrongValue('ssl_certfile and ssl_keyfile belong together');
  }
  if (ssl_cert_reqs !== undefined && !['none', 'required'].includes(ssl_cert_reqs)) {
    throw new WrongValue('ssl_cert_reqs must be none or required');
  }
  return {
    ...(ssl_ca_certs === undefined ? {} : { ca: fileOf('ssl_ca_certs', ssl_ca_certs) }),
    ...(ssl_certfile === undefined ? {} : { cert: fileOf('ssl_certfile', ssl_certfile) }),
    ...(ssl_keyfile === undefined ? {} : { key: fileOf('ssl_keyfile', ssl_keyfile) }),
    ...(ssl_cert_reqs === 'none' ? { rejectUnauthorized: false } : {}),
  };
}

function databaseOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new WrongValue('expected the number of a database after the host, such as /0');
}

function expectNone(parameters: Readonly<Record<string, string>>): void {
  const [name] = Object.keys(parameters);
  if (name !== undefined) throw new WrongValue(`does not understand the parameter ${name}`);
}
