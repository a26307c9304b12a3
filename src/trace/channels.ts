import { type Channel, channel } from 'node:diagnostics_channel';
import type { CacheCounts } from './cache-counts.ts';

/**
 * Everything that one Larder tells whoever listens: metrics and tracing hang on these and nothing else. Where nobody listens, an event
 * is not even made. A listener that throws fails nothing but itself, as with Node's `diagnostics_channel`, which these are.
 */
export interface Channels {
  /** A statement of a request has ended, well or not. */
  readonly sql: TypedChannel<SqlExchange>;
  /** A round trip to Redis has ended, well or not. */
  readonly redis: TypedChannel<RedisExchange>;
  /** A GraphQL request was answered, with whatever status. */
  readonly request: TypedChannel<RequestDone>;
  /** This process forgets bodies and tells the others to. */
  readonly invalidation: TypedChannel<Invalidation>;
  /** A body that was served from a cache has been checked. */
  readonly audit: TypedChannel<Audit>;
}

/** @returns the channels of a Larder that is being opened, which no other Larder of the process is heard on */
export function openChannels(): Channels {
  return {
    sql: typed('larder:sql'),
    redis: typed('larder:redis'),
    request: typed('larder:request'),
    invalidation: typed('larder:invalidation'),
    audit: typed('larder:audit'),
  };
}

/** The channels of what belongs to no Larder, such as a command: nobody listens. */
export const UNHEARD: Channels = openChannels();

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
  /** What it did, its trace; `null` when it was refused before it could do anything. */
  readonly trace: Figures | null;
}

/** What a request did to Postgres, Redis and the caches, times in milliseconds. */
export interface Figures {
  readonly sql: { readonly statements: number; readonly rows: number; readonly ms: number };
  readonly redis: { readonly commands: number; readonly ms: number };
  /** By entity. */
  readonly cache: Readonly<Record<string, CacheCounts>>;
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
  /** Asked before a message is made. */
  readonly heard: boolean;
  publish(message: Message): void;
  /** @returns ends the subscription */
  subscribe(listener: (message: Message) => void): () => void;
}

function typed<Message>(name: string): TypedChannel<Message> {
  // A symbol is nobody else's: by a text, all Larders of the process would have one channel.
  const plain: Channel = channel(Symbol(name));
  return {
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
