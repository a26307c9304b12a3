import { type Channel, channel } from 'node:diagnostics_channel';

/**
 * Everything that a Larder tells whoever listens, over Node's `diagnostics_channel`: metrics and tracing hang on these
 * and nothing else. Where nobody listens, an event is not even made.
 *
 * | channel          | published when                                     | message           |
 * | ---------------- | -------------------------------------------------- | ----------------- |
 * | `larder:sql`     | a statement has ended, well or not                 | `SqlExchange`     |
 * | `larder:redis`   | a round trip to Redis has ended, well or not       | `RedisExchange`   |
 */
export const channels = {
  sql: typed<SqlExchange>('larder:sql'),
  redis: typed<RedisExchange>('larder:redis'),
};

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
  readonly keys: number;
  /** How many commands it made Redis run, those inside of scripts included; 0 when it failed. */
  readonly commands: number;
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
