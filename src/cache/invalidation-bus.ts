import { randomUUID } from 'node:crypto';
import { Redis, ReplyError } from 'ioredis';
import type { Clock } from '../clock.ts';
import { decodeMessage, decodeReply, type Echo, type Message } from './bus-messages.ts';
import { inTime } from './in-time.ts';
import { retryPause, SILENT_TIMEOUTS } from './redis-connection.ts';
import { replaceWhenOutOfStep } from './redis-guard.ts';
import { parseRedisUrl } from './redis-url.ts';

/** What a process does about messages. */
export interface BusListener {
  /** Rows behind these keys changed. */
  onKeys(keys: string[]): void;
  /** Whether messages arrive from now on. While they do not, nothing in memory is known to be current. */
  onConnected(connected: boolean): void;
  /** What this process told itself has come back, after every message that was published before. */
  onEcho(echo: Echo): void;
}

/** How often the subscription is asked whether it still stands: what would come on it may be nothing for hours. */
const PING_MS = 1000;

/**
 * Tells every process which keys to forget, over Redis' publish and subscribe. It makes "read your own write" hold in
 * other processes, whose memory tier would else serve a body for up to its time to live: the writer's answer waits
 * until each of them has acknowledged. And it lets a process find out that it has missed nothing, by telling itself something.
 */
export class InvalidationBus {
  readonly #subscriber: Redis;
  readonly #channel: string;
  readonly #replyChannel: string;
  readonly #tell: (channel: string, text: string) => void;
  readonly #endPings: () => void;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { left: number; done: () => void }>();
  #number = 0;
  /** The Redis process that this one listens to; `null` while there is none, or Redis does not tell. */
  #run: string | null = null;

  /**
   * Subscribes in the background, and again after each lost connection.
   *
   * @param url the address of Redis
   * @param prefix put before the channels' names
   * @param listener what to do about messages
   * @param tell publishes on a channel what may be lost: acknowledgements and echoes
   * @param onError told of each failure, for the log
   * @param clock the time
   * @param timeoutMs how long a round trip of a request may take, in milliseconds; one of the bus ten times that
   */
  constructor(
    url: string,
    prefix: string,
    listener: BusListener,
    tell: (channel: string, text: string) => void,
    onError: (error: Error) => void,
    clock: Clock,
    timeoutMs: number,
  ) {
    const silenceMs = SILENT_TIMEOUTS * timeoutMs;
    this.#clock = clock;
    this.#tell = tell;
    this.#channel = `${prefix}larder:invalidations`;
    this.#replyChannel = `${prefix}larder:acknowledgements:${randomUUID()}`;
    this.#subscriber = new Redis({
      ...parseRedisUrl(url),
      // Channels belong to no database.
      db: 0,
      connectionName: 'larder-bus',
      connectTimeout: 1000,
      socketTimeout: silenceMs,
      retryStrategy: retryPause,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
    });
    this.#subscriber.on('error', onError);
    replaceWhenOutOfStep(this.#subscriber);
    this.#subscriber.on('close', () => {
      this.#run = null;
      listener.onConnected(false);
    });
    const ask = (what: () => Promise<unknown>, answered = () => {}) => {
      const { stream } = this.#subscriber;
      inTime(clock, silenceMs, what()).then(answered, (error: Error) => {
        onError(error);
        // A connection that does not answer is replaced: it may have lost an answer, and then nothing else would end it. What
        // Redis refuses is an answer, too, and what was asked on an earlier connection says nothing of this one.
        if (error instanceof ReplyError || this.#subscriber.stream !== stream) return;
        listener.onConnected(false);
        this.#subscriber.disconnect(true);
      });
    };
    this.#subscriber.on('ready', () => {
      ask(
        async () => {
          const info = this.#subscriber.info('server').catch((error: Error) => {
            if (!(error instanceof ReplyError)) throw error;
            onError(error);
            return '';
          });
          const listening = this.#subscriber.subscribe(this.#channel, this.#replyChannel);
          this.#run = /^run_id:(\w+)/m.exec((await Promise.all([info, listening]))[0])?.[1] ?? null;
        },
        () => listener.onConnected(true),
      );
    });
    this.#endPings = clock.tick(PING_MS, () => {
      if (this.#subscriber.status === 'ready') ask(() => this.#subscriber.ping());
    });
    this.#subscriber.on('message', (channel: string, text: string) => {
      if (channel === this.#replyChannel) return this.#replied(text, listener);
      const message = decodeMessage(text);
      if (message === null)
        return onError(new Error('The invalidation channel carries something that is not a message.'));
      listener.onKeys(message.keys);
      if (message.replyTo !== undefined) tell(message.replyTo, String(message.number));
    });
  }

  /** Where invalidations are published. */
  get channel(): string {
    return this.#channel;
  }

  /**
   * Prepares a message to every process.
   *
   * @param keys the keys to forget
   * @param reply whether the processes shall acknowledge
   * @returns the message's text, and a wait for as many acknowledgements as Redis says it had receivers, at most `ms`; when
   *   it had none, or did not say, whoever may still listen gets all that time to forget by itself
   */
  announce(
    keys: string[],
    reply: boolean,
  ): { text: string; acknowledged: (receivers: number, ms: number) => Promise<void> } {
    if (!reply) return { text: JSON.stringify({ keys } satisfies Message), acknowledged: async () => {} };
    this.#number += 1;
    const number = this.#number;
    const message: Message = { keys, replyTo: this.#replyChannel, number };
    // Acknowledgements may arrive before Redis has said how many there will be, so they are counted down from zero.
    const entry = { left: 0, done: () => {} };
    this.#waiting.set(number, entry);
    const acknowledged = async (receivers: number, ms: number) => {
      entry.left += receivers;
      if (entry.left > 0 || receivers === 0) {
        await new Promise<void>((resolve) => {
          const stop = this.#clock.after(ms, resolve);
          entry.done = () => {
            stop();
            resolve();
          };
        });
      }
      this.#waiting.delete(number);
    };
    return { text: JSON.stringify(message), acknowledged };
  }

  /**
   * @param epoch a run of Redis
   * @returns whether this process listens to it: what comes from another one comes by way of replication, which leaves out what was
   *   published while it was interrupted
   */
  listensTo(epoch: string): boolean {
    return this.#run !== null && epoch.startsWith(this.#run);
  }

  /**
   * Tells this process something through Redis. Redis delivers in order, so when it comes back, this process has heard of every
   * invalidation that was published before it was sent. It goes the way of the invalidations, and not over the subscription as a
   * ping would: after a failover the two connections may lead to different servers.
   *
   * @param echo what to tell
   */
  echo(echo: Echo): void {
    this.#tell(this.#replyChannel, JSON.stringify(echo));
  }

  #replied(text: string, listener: BusListener): void {
    const reply = decodeReply(text);
    if (typeof reply === 'number') this.#acknowledged(reply);
    else if (reply !== null && this.listensTo(reply.epoch)) listener.onEcho(reply);
  }

  #acknowledged(number: number): void {
    const entry = this.#waiting.get(number);
    if (entry === undefined) return;
    entry.left -= 1;
    if (entry.left === 0) entry.done();
  }

  /** Ends the connection. */
  close(): void {
    this.#endPings();
    this.#subscriber.disconnect();
  }
}
