import { parseConnectionUrl } from '../connection-url.ts';
import { WrongValue } from '../wrong-value.ts';

const TCP = ['redis', 'rediss'];

/** `unix` as redis-py and `redis+socket` as Celery call it. */
const SOCKET = ['unix', 'redis+socket'];

/** Where a Redis is and as whom to ask it, in the words of ioredis. */
export type RedisAddress = { readonly username?: string; readonly password?: string; readonly db: number } & (
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls?: object }
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
  const { db = path.slice(1) || '0', ...others } = Object.fromEntries(parameters);
  expectNone(others);
  return {
    ...account,
    host: first.host || 'localhost',
    port: first.port ?? 6379,
    db: databaseOf(db),
    ...(scheme === 'rediss' ? { tls: {} } : {}),
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
