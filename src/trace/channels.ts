import { type Channel, channel } from 'node:diagnostics_channel';
import type { Trace } from './trace.ts';

/**
 * Everything that a Larder tells whoever listens, over Node's `diagnostics_channel`: metrics and tracing hang on these
 * and nothing else. Where nobody listens, an event is not even made.
 *
 * They are the process' own: two servers in one process are heard together.
 *
 * | channel               | published when                                              | message         |
 * | --------------------- | ----------------------------------------------------------- | --------------- |
 * | `larder:request`      | a GraphQL request was answered, with whatever status        | `RequestDone`   |
 * | `larder:sql`          | a statement of a request has ended, well or not             | `SqlExchange`   |
 * | `larder:redis`        | a round trip to Redis has ended, well or not                | `RedisExchange` |
 * | `larder:invalidation` | this process forgets bodies and tells the others to         | `Invalidation`  |
 * | `larder:audit`        | a body that was served from a cache has been checked        | `Audit`         |
 */
export const channels = {
  sql: typed<SqlExchange>('larder:sql'),
  redis: typed<RedisExchange>('larder:redis'),
  request: typed<RequestDone>('larder:request'),
  invalidation: typed<Invalidation>('larder:invalidation'),
  audit: typed<Audit>('larder:audit'),
};

/** A GraphQL request that was answered. */
export interface RequestDone {
  /** The operation's name where its document is trusted, else `other`. */
  readonly operation: string;
  /** The HTTP status. */
  readonly status: number;
  readonly ms: number;
  /** How long the response's body is before it is compressed. */
  readonly bytes: number;
  /** The operation's static cost in points; `null` when it was refused before that was known. */
  readonly cost: number | null;
  /** The codes of the response's errors, each once. */
  readonly errors: readonly string[];
  /** What it did; `null` when it was refused before it could do anything. */
  readonly trace: Trace | null;
}

/** Bodies that caches are told to forget. */
export interface Invalidation {
  readonly changed: readonly { readonly entity: string; readonly id: string }[];
  /** Whether it was a write of this process, or a change that was found in the outbox. */
  readonly source: 'write' | 'outbox';
}

/** What a self-audit found. */
export interface Audit {
  readonly entity: string;
  /** Whether what a cache served was, or became in time, what Postgres holds. */
  readonly consistent: boolean;
}

/** What every exchange with a store tells. Times are in milliseconds. */
interface Exchange {
  /** When it was sent, on the monotonic clock (`performance.now()`). */
  readonly started: number;
  readonly ms: number;
  /** Whether the store refused it, or did not answer. */
  readonly failed: boolean;
}

/** One statement. */
export interface SqlExchange extends Exchange {
  readonly kind: 'sql';
  /** The statement's name, such as `Campaign.byIds`: there are as many as the code has statements. */
  readonly name: string;
  readonly rows: number;
  readonly text: string;
  /** What stood in the statement's places: a client's data, which belongs into no log. */
  readonly parameters: readonly unknown[];
}

/** One round trip to Redis. */
export interface RedisExchange extends Exchange {
  readonly kind: 'redis';
  /** The command that it is about, such as `MGET`. */
  readonly name: string;
  /** The keys that it is about; that of the heartbeat, which comes with each read, is none of them. */
  readonly keys: readonly string[];
  /** How many commands it made Redis run, those inside of scripts included; 0 when it failed. */
  readonly commands: number;
  /** How many of the keys held a body or a negative; `null` for what reads none, or failed. */
  readonly hits: number | null;
}

/** A channel whose messages have one type. */
export interface TypedChannel<Message> {
  readonly name: string;
  /** Asked before a message is made. */
  readonly heard: boolean;
  publish(message: Message): void;
  /** @returns ends the subscription */
  subscribe(listener: (message: Message) => void): () => void;
}

function typed<Message>(name: string): TypedChannel<Message> {
  const plain: Channel = channel(name);
  return {
    name,
    get heard() {
      return plain.hasSubscribers;
    },
    publish: (message) => plain.publish(message),
    subscribe: (listener) => {
      const onMessage = (message: unknown) => listener(message as Message);
      plain.subscribe(onMessage);
      return () => {
        plain.unsubscribe(onMessage);
      };
    },
  };
}
