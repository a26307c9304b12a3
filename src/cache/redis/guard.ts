import { type Redis, ReplyError } from 'ioredis';
import handlers from 'ioredis/built/DataHandler.js';
import type { Clock } from '../../clock.ts';
import { errorOf } from '../../reason-of.ts';
import { retryPause } from './retry-pause.ts';

/** What ioredis does with each reply. */
interface DataHandler {
  readonly redis: Redis;
  dispatch(handle: () => void): void;
  returnFatalError(error: Error): void;
}

/** The message of ioredis for a reply to which there was no question. */
const UNASKED = /^Command queue state error/;

// ioredis 6.0 throws an error amid a reply where nobody can catch it. So an unexpected kind of reply would end the process, though only the
// connection is broken.
// Node puts the exports of a CommonJS module beneath `default`. Loaders that make CommonJS of this file do not, as drizzle-kit's does for a
// schema that imports `larder`.
const { prototype } = (handlers.default ?? handlers) as unknown as { prototype: DataHandler };
const { dispatch: throwLater } = prototype;
/** The connections of Larder. Whoever uses ioredis beside it has the behaviour that they know. */
const guarded = new WeakSet<Redis>();
prototype.dispatch = function dispatch(handle) {
  if (!guarded.has(this.redis)) {
    throwLater.call(this, handle);
    return;
  }
  try {
    handle();
  } catch (error) {
    this.returnFatalError(errorOf(error));
  }
};

/**
 * Lets a reply that ioredis does not expect break its connection alone.
 *
 * @param redis a connection of Larder
 * @returns the same
 */
export function guardReplies(redis: Redis): Redis {
  guarded.add(redis);
  return redis;
}

/**
 * Replaces a connection with a reply to which there was no question. Otherwise all later replies would be taken for those to other
 * questions.
 *
 * @param redis the connection
 */
export function replaceWhenOutOfStep(redis: Redis): void {
  redis.on('error', (error: Error) => {
    if (UNASKED.test(error.message)) redis.disconnect(true);
  });
}

/**
 * Catches every error of a connection's sockets. ioredis 6.0 listens to a connection's first socket alone. With TLS there may be another,
 * whose error would end the process.
 *
 * @param redis the connection
 */
export function hearEveryError(redis: Redis): void {
  let socket: Redis['stream'] | undefined;
  // No event tells of a socket before it can fail: with Sentinel, it is made some time after `connecting`.
  Object.defineProperty(redis, 'stream', {
    get: () => socket,
    set: (made: Redis['stream']) => {
      socket = made;
      let isFirst = true;
      made.on('error', (error: Error) => {
        if (!isFirst) redis.silentEmit('error', error);
        isFirst = false;
      });
    },
  });
}

/**
 * Connects again when ioredis has given up, until the connection is closed. ioredis 6.0 gives up for good when its connection is to be
 * replaced while it asks the Sentinels where Redis is: another Sentinel announces a failover just then.
 *
 * @param redis the connection
 * @param clock the time
 * @returns closes it for good
 */
export function connectUntilClosed(redis: Redis, clock: Clock): () => void {
  let isClosed = false;
  let stop = () => {};
  let attempt = 0;
  redis.on('ready', () => {
    attempt = 0;
  });
  redis.on('end', () => {
    if (isClosed) return;
    attempt += 1;
    const fail = (error: unknown) => void redis.silentEmit('error', error);
    stop = clock.after(retryPause(attempt), () => void redis.connect().catch(fail));
  });
  return () => {
    isClosed = true;
    stop();
    redis.disconnect();
  };
}

/** Redis answers, but refuses the database that its address names. */
export class WrongDatabase extends Error {
  override name = 'WrongDatabase';
}

/**
 * Closes a connection on which Redis refused the database. ioredis would go on in the database 0, among others' keys.
 *
 * @param redis the connection
 * @param onRefused told each time
 */
export function replaceWhenInAnotherDatabase(redis: Redis, onRefused: (refusal: WrongDatabase) => void): void {
  redis.on('error', (error: Error & { command?: { name: string } }) => {
    if (!(error instanceof ReplyError) || error.command?.name !== 'select') return;
    redis.disconnect(true);
    onRefused(
      new WrongDatabase(
        `Redis refuses the database ${redis.options.db} that REDIS_URL names (${error.message}). Name one that it has, such as /0.`,
      ),
    );
  });
}
