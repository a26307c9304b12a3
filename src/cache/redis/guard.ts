import { type Redis, ReplyError } from 'ioredis';
import handlers from 'ioredis/built/DataHandler.js';

/** What ioredis does with each reply. */
interface DataHandler {
  dispatch(handle: () => void): void;
  returnFatalError(error: Error): void;
}

/** How ioredis says that a reply came to which there was no question. */
const UNASKED = /^Command queue state error/;

// ioredis 6.0 throws what goes wrong amid a reply where nobody can catch it, so that a reply of a kind that it does not
// expect ends the process. A connection that answers such things is broken, and no more than that.
// Node puts what a CommonJS module exports beneath `default`; loaders that make CommonJS of this file, as drizzle-kit's does for a schema
// that imports `larder`, do not.
const { prototype } = (handlers.default ?? handlers) as unknown as { prototype: DataHandler };
prototype.dispatch = function dispatch(handle) {
  try {
    handle();
  } catch (error) {
    this.returnFatalError(error instanceof Error ? error : new Error(String(error)));
  }
};

/**
 * Replaces a connection on which a reply came to which there was no question: who counts wrong once would take the replies
 * of all that follows for those to other questions.
 *
 * @param redis the connection
 */
export function replaceWhenOutOfStep(redis: Redis): void {
  redis.on('error', (error: Error) => {
    if (UNASKED.test(error.message)) redis.disconnect(true);
  });
}

/**
 * Hears every error of a connection's sockets. ioredis 6.0 listens to the first of a socket alone; one with TLS may have another, which
 * nobody would catch, so that it would end the process.
 *
 * @param redis the connection
 */
export function hearEveryError(redis: Redis): void {
  redis.on('connecting', () => {
    // The socket is made after this event, and can have no error before the next turn.
    setImmediate(() => {
      const { stream } = redis as { stream?: Redis['stream'] };
      let isFirst = true;
      stream?.on('error', (error: Error) => {
        if (!isFirst) redis.silentEmit('error', error);
        isFirst = false;
      });
    });
  });
}

/** Redis answers, but refuses the database that its address names. */
export class WrongDatabase extends Error {
  override name = 'WrongDatabase';
}

/**
 * Uses no connection on which Redis refused the database: ioredis would go on in the database 0, among the keys of others.
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
