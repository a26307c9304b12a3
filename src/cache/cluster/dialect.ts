import { type Redis, ReplyError } from 'ioredis';
import { countEntries } from '../entry.ts';
import type { Dialect } from '../redis/dialect.ts';
import { type Fill, sendAdditions, sendFills, sendLeases, sendReadOrLease, sendRelease } from '../redis/lease.ts';
import { integer, texts } from '../redis/replies.ts';
import type { Brought } from '../redis/round-trip.ts';

/** How a node says that another one has a key, or is being given it. */
const ELSEWHERE = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /;

/** A key that the node did not answer for. */
const MOVED = Symbol('moved');

/** Where a key is that the node did not answer for because it gives its slot away. */
interface Asked {
  readonly address: string;
}

/**
 * Waits for the answers to commands that were sent at once.
 *
 * @param sent what was sent
 * @returns the answers, in order
 * @throws what one of them was refused with, unless that says that the key is elsewhere
 */
async function answers<T>(sent: readonly Promise<T>[]): Promise<(T | typeof MOVED)[]> {
  const settled = await Promise.allSettled(sent);
  return settled.map((one) => {
    if (one.status === 'fulfilled') return one.value;
    if (one.reason instanceof ReplyError && ELSEWHERE.test(one.reason.message)) return MOVED;
    throw one.reason;
  });
}

/**
 * A command for each key, as no command may name keys of two slots. A key that is elsewhere is told, and not looked for there: by id nothing
 * is believed of it before its slot has come to rest, and Postgres answers meanwhile. What changed is removed there, too (see `Importers`).
 *
 * @param onMoved told that keys are elsewhere, so that slots have moved
 * @returns how a node of a cluster is spoken to
 */
export function clusterDialect(onMoved: () => void): Dialect {
  const moved = <T>(keys: readonly string[], replies: readonly (T | typeof MOVED)[]): Set<string> => {
    const gone = new Set(keys.filter((_key, i) => replies[i] === MOVED));
    if (gone.size > 0) onMoved();
    return gone;
  };
  const get = async (redis: Redis, key: string) => texts('MGET', await redis.mget([key]), 1)[0] ?? null;
  const plain = <T>(reply: T | typeof MOVED | undefined): T | null =>
    reply === undefined || reply === MOVED ? null : reply;
  const total = (brought: readonly (Brought<number> | typeof MOVED)[]): Brought<number> => {
    let [commands, answer] = [0, 0];
    for (const one of brought) {
      if (one === MOVED) continue;
      commands += one.commands;
      answer += one.answer;
    }
    return { commands, answer };
  };

  return {
    async read(redis, keys, heartbeat) {
      // The heartbeat first: what is read after it is no older.
      const sent = [heartbeat, ...keys].map((key) => get(redis, key));
      const [epoch, ...found] = await answers(sent);
      const values = found.map(plain);
      const answer = { values, epoch: plain(epoch), moved: moved(keys, found) };
      return { commands: sent.length, hits: countEntries(values), answer };
    },
    async readOrLease(redis, keys, heartbeat, _named, token) {
      // A script sees the keys of one slot, and so not the heartbeat: it leases where that has stopped, too, and the fill names no epoch.
      const take = async (key: string) => {
        const { commands, answer } = await sendReadOrLease(redis, [key], key, [true], token);
        return { commands, text: answer[0] ?? null };
      };
      const first = get(redis, heartbeat);
      const [[epoch], found] = await Promise.all([answers([first]), answers(keys.map(take))]);
      const values = found.map((one) => plain(one)?.text ?? null);
      const commands = found.reduce((sum, one) => sum + (plain(one)?.commands ?? 0), 1);
      return {
        commands,
        hits: countEntries(values),
        answer: { values, epoch: plain(epoch), moved: moved(keys, found) },
      };
    },
    async lease(redis, keys, stale, token) {
      const replaced = new Set(stale);
      const sent = keys.map((key) => sendLeases(redis, [key], replaced.has(key) ? [key] : [], token));
      const found = await answers(sent);
      moved(keys, found);
      const commands = found.reduce((sum, one) => sum + (plain(one)?.commands ?? 0), 0);
      return { commands, answer: found.map((one) => (one === MOVED ? 'MOVED' : (one.answer[0] ?? null))) };
    },
    async fill(redis, fills: readonly Fill[], token) {
      return total(await answers(fills.map((fill) => sendFills(redis, [fill], token))));
    },
    async add(redis, fills) {
      return total(await answers(fills.map((fill) => sendAdditions(redis, [fill]))));
    },
    async release(redis, keys, token) {
      return total(await answers(keys.map((key) => sendRelease(redis, [key], token))));
    },
    async invalidate(redis, keys, channel, message, pattern) {
      const unlinked = keys.map((key) => redis.unlink(key));
      // An ACL may refuse it: then all that were told are waited for.
      const listed = redis.pubsub('CHANNELS', pattern).catch((error: unknown) => {
        if (error instanceof ReplyError) return null;
        throw error;
      });
      const published = redis.publish(channel, message);
      const [replies, channels, receivers] = await Promise.all([settledUnlinks(unlinked), listed, published]);
      const gone = moved(keys, replies);
      const asked = askedOf(keys, replies);
      const processes = Array.isArray(channels) ? channels.map(String) : null;
      const answer = { receivers: integer('PUBLISH', receivers), processes, moved: gone, asked };
      return { commands: keys.length + 2, answer };
    },
  };
}

/** An invalidation is lost where nobody knows who has the slot. */
async function settledUnlinks(unlinked: readonly Promise<number>[]): Promise<(number | Asked | typeof MOVED)[]> {
  const settled = await Promise.allSettled(unlinked);
  return settled.map((one) => {
    if (one.status === 'fulfilled') return integer('UNLINK', one.value);
    if (one.reason instanceof ReplyError) {
      const [kind, , address = ''] = one.reason.message.split(' ');
      if (kind === 'ASK') return { address };
      if (kind === 'MOVED') return MOVED;
    }
    throw one.reason;
  });
}

function askedOf(keys: readonly string[], replies: readonly (number | Asked | typeof MOVED)[]): Map<string, string[]> {
  const asked = new Map<string, string[]>();
  for (const [i, reply] of replies.entries()) {
    if (typeof reply !== 'object') continue;
    const known = asked.get(reply.address) ?? [];
    known.push(keys[i] ?? '');
    asked.set(reply.address, known);
  }
  return asked;
}
