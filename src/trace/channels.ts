import { type Channel, channel } from 'node:diagnostics_channel';
import type { CacheCounts } from './cache-counts.ts';

/**
 * Everything that one Larder reports: metrics and tracing listen to these channels, and to nothing else. An event without a listener is not
 * even made. These are Node's `diagnostics_channel`: what a listener throws does not reach who reports, but is an uncaught exception of the process.
 */
export interface Channels {
  /** A statement of a request has ended or failed. */
  readonly sql: TypedChannel<SqlExchange>;
  /** A round trip to Redis has ended or failed. */
  readonly redis: TypedChannel<RedisExchange>;
  /** A GraphQL request was answered, with any status. */
  readonly request: TypedChannel<RequestDone>;
  /** This process invalidates bodies, here and in other processes. */
  readonly invalidation: TypedChannel<Invalidation>;
  /** A body that a cache served has been checked. */
  readonly audit: TypedChannel<Audit>;
}

/** @returns the channels of a Larder that is being opened; no other Larder of the process reports on them */
export function openChannels(): Channels {
  return {
    sql: typed('larder:sql'),
    redis: typed('larder:redis'),
    request: typed('larder:request'),
    invalidation: typed('larder:invalidation'),
    audit: typed('larder:audit'),
  };
}

/** The channels for what belongs to no Larder, such as a command. Nobody listens to them. */
export const UNOBSERVED: Channels = openChannels();

/** A GraphQL request that was answered, or whose client left. */
export interface RequestDone {
  /** The operation's name where its document is trusted, else `other`. */
  readonly operation: string;
  /** The HTTP status; 499 when the client left before its answer began. */
  readonly status: number;
  readonly ms: number;
  /** The length of the response's body in bytes, before compression. */
  readonly bytes: number;
  /** The operation's static cost in points; `null` when it was refused before that was known. */
  readonly cost: number | null;
  /** The codes of the response's errors, each once. */
  readonly errors: readonly string[];
  /** What the request did; `null` when it was refused before it could do anything. */
  readonly trace: Figures | null;
}

/** What a request did to Postgres, Redis and the caches, times in milliseconds. */
export interface Figures {
  readonly sql: { readonly statements: number; readonly rows: number; readonly ms: number };
  readonly redis: { readonly commands: number; readonly ms: number };
  /** By entity. */
  readonly cache: Readonly<Record<string, CacheCounts>>;
}

/** Bodies that all caches have forgotten. */
export interface Invalidation {
  readonly changed: readonly { readonly entity: string; readonly id: string }[];
  /** Whether a write of this process invalidates them, or a change in the outbox. */
  readonly source: 'write' | 'outbox';
}

/** What a self-audit found. */
export interface Audit {
  readonly entity: string;
  /** Whether a cache served what Postgres holds, or came to serve it in time. */
  readonly consistent: boolean;
}

/** What every exchange with a store reports. Times are in milliseconds. */
interface Exchange {
  /** When it was sent, in milliseconds on the monotonic clock (`performance.now()`). */
  readonly started: number;
  readonly ms: number;
  /** Whether the store refused it, or did not answer. */
  readonly failed: boolean;
}

/** One statement. */
export interface SqlExchange extends Exchange {
  readonly kind: 'sql';
  /** The statement's name, such as `Campaign.byIds`. There are as many names as the code has statements. */
  readonly name: string;
  readonly rows: number;
  readonly text: string;
  /** The statement's parameters. They are a client's data, which belongs in no log. */
  readonly parameters: readonly unknown[];
}

/** One round trip to Redis. */
export interface RedisExchange extends Exchange {
  readonly kind: 'redis';
  /** The main command, such as `MGET`. */
  readonly name: string;
  /** The node of a cluster that was asked, as host and port; `null` for a single Redis. */
  readonly node: string | null;
  /** The keys of entities. The key of the heartbeat, which every read asks for, is left out. */
  readonly keys: readonly string[];
  /** How many commands Redis ran, those inside scripts included; 0 when it failed. */
  readonly commands: number;
  /** How many of the keys held a body or a negative; `null` for a command that reads none, or that failed. */
  readonly hits: number | null;
}

/** A channel whose messages have one type. */
export interface TypedChannel<Message> {
  /** Whether anybody listens. It is asked before a message is made. */
  readonly hasSubscribers: boolean;
  /** @param message goes to each listener, one after another */
  publish(message: Message): void;
  /**
   * @param listener receives each message
   * @returns ends the subscription
   */
  subscribe(listener: (message: Message) => void): () => void;
}

function typed<Message>(name: string): TypedChannel<Message> {
  // A symbol is unique. With a text, all Larders of the process would share one channel.
  const plain: Channel = channel(Symbol(name));
  return {
    get hasSubscribers() {
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
