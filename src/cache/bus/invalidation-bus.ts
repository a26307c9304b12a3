import { type Redis, ReplyError } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { connectUntilClosed, hearEveryError, replaceWhenOutOfStep } from '../redis/guard.ts';
import { inTime } from '../redis/in-time.ts';
import { retryPause } from '../redis/retry-pause.ts';
import type { Told } from '../redis/send-invalidation.ts';
import { SILENT_TIMEOUTS } from '../redis/silence.ts';
import { connectTimeoutMs, openRedis, type RedisSource } from '../redis/source.ts';
import { Announcements } from './announcements.ts';
import type { BusListener } from './listener.ts';
import { type Acknowledgement, decodeMessage, decodeReply, type Echo, type GivenUp, type Message } from './messages.ts';
import { ReplyChannels } from './reply-channels.ts';

/** How often the subscription is pinged, in milliseconds. Messages may not come for hours, so their absence says nothing. */
const PING_MS = 250;

/**
 * Tells every process which keys to forget, by publish and subscribe of Redis. It makes "read your own write" hold in other processes, too:
 * the writer answers when each of them has acknowledged. It also sends each process an echo, which proves that the process has missed
 * nothing.
 */
export class InvalidationBus {
  readonly #subscriber: Redis;
  readonly #channel: string;
  readonly #replies: ReplyChannels;
  readonly #tell: (channel: string, text: string) => Promise<number | null>;
  readonly #endPings: () => void;
  readonly #endConnection: () => void;
  readonly #listener: BusListener;
  readonly #announcements: Announcements;
  /** The run of Redis that this process listens to; `null` while there is none, or when Redis does not say. */
  #run: string | null = null;

  /**
   * Subscribes in the background, and again after each lost connection.
   *
   * @param source where Redis is
   * @param prefix comes before the channels' names
   * @param listener what to do with messages
   * @param tell publishes acknowledgements and echoes, which may be lost; gives `null` when they were
   * @param onError told of each failure, for the log
   * @param clock the time
   * @param timeoutMs how long a round trip of a request may take, in milliseconds; one of the bus may take ten times as long
   */
  constructor(
    source: RedisSource,
    prefix: string,
    listener: BusListener,
    tell: (channel: string, text: string) => Promise<number | null>,
    onError: (error: Error) => void,
    clock: Clock,
    timeoutMs: number,
  ) {
    const silenceMs = SILENT_TIMEOUTS * timeoutMs;
    this.#tell = tell;
    this.#channel = `${prefix}larder:invalidations`;
    this.#replies = new ReplyChannels(prefix);
    this.#listener = listener;
    this.#announcements = new Announcements(clock, {
      tell: async (channel) => (await tell(channel, JSON.stringify({ givenUp: true } satisfies GivenUp))) !== null,
      onSilence: (channel, silent) => listener.onSilence(this.#replies.processOf(channel), silent),
    });
    this.#subscriber = openRedis(source, {
      // Channels belong to no database.
      db: 0,
      connectionName: 'larder-bus',
      connectTimeout: connectTimeoutMs(timeoutMs),
      socketTimeout: silenceMs,
      retryStrategy: retryPause,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
    });
    this.#subscriber.on('error', onError);
    hearEveryError(this.#subscriber);
    this.#endConnection = connectUntilClosed(this.#subscriber, clock);
    replaceWhenOutOfStep(this.#subscriber);
    this.#subscriber.on('close', () => {
      this.#run = null;
      listener.onConnected(false);
    });
    const ask = (what: () => Promise<unknown>, answered = () => {}) => {
      const { stream } = this.#subscriber;
      const asOf = clock.now();
      const alive = () => {
        listener.onAlive(asOf);
        answered();
      };
      inTime(clock, silenceMs, what()).then(alive, (error: Error) => {
        onError(error);
        // A connection that does not answer is replaced, since it may have lost an answer and would never recover. A refusal is an answer,
        // too. An answer on an earlier connection says nothing about this one.
        if (error instanceof ReplyError || this.#subscriber.stream !== stream) return;
        this.#beginAnew();
      });
    };
    this.#subscriber.on('ready', () => {
      this.#replies.renew();
      ask(
        async () => {
          const info = this.#subscriber.info('server').catch((error: Error) => {
            if (!(error instanceof ReplyError)) throw error;
            onError(error);
            return '';
          });
          const listening = this.#subscriber.subscribe(this.#channel, this.#replies.own);
          this.#run = /^run_id:(\w+)/m.exec((await Promise.all([info, listening]))[0])?.[1] ?? null;
        },
        () => listener.onConnected(true),
      );
    });
    this.#endPings = clock.tick(PING_MS, () => {
      if (this.#subscriber.status === 'ready') ask(() => this.#subscriber.ping());
    });
    this.#subscriber.on('message', (channel: string, text: string) => {
      if (channel === this.#replies.own) return this.#replied(text);
      const message = decodeMessage(text);
      if (message === null)
        return onError(new Error('The invalidation channel carries something that is not a message.'));
      listener.onKeys(message.keys);
      const { replyTo, number } = message;
      if (replyTo === undefined || number === undefined) return;
      void tell(replyTo, JSON.stringify({ number, from: this.#replies.own } satisfies Acknowledgement));
    });
  }

  /** The channel of invalidations. */
  get channel(): string {
    return this.#channel;
  }

  /** The reply channels, as a pattern for Redis. */
  get acknowledgers(): string {
    return this.#replies.pattern;
  }

  /** The processes that are no longer waited for, each by its host and its process id. */
  get silent(): readonly string[] {
    return this.#announcements.silent.map((channel) => this.#replies.processOf(channel));
  }

  /**
   * @param keys the keys to forget
   * @param reply whether the processes have to acknowledge
   * @returns the message's text, and a function that waits for the acknowledgements of all that received it, `ms` at most
   */
  announce(
    keys: string[],
    reply: boolean,
  ): { text: string; acknowledged: (told: Told | null, ms: number) => Promise<void> } {
    if (!reply) return { text: JSON.stringify({ keys } satisfies Message), acknowledged: async () => {} };
    const number = this.#announcements.begin();
    const own = this.#replies.own;
    const message: Message = { keys, replyTo: own, number };
    return {
      text: JSON.stringify(message),
      acknowledged: (told, ms) => this.#announcements.wait(number, told, own, ms),
    };
  }

  /**
   * @param epoch a run of Redis
   * @returns whether this process listens to it. Messages of another run come by replication, which drops what was published while it was
   *   interrupted
   */
  listensTo(epoch: string): boolean {
    return this.#run !== null && epoch.startsWith(this.#run);
  }

  /**
   * Sends this process an echo through Redis. Redis delivers in order. So when it comes back, every invalidation published before it has
   * arrived. It is published like an invalidation, not sent on the subscription like a ping: after a failover the two connections may lead
   * to different servers.
   *
   * @param echo what to send
   */
  echo(echo: Echo): void {
    void this.#tell(this.#replies.own, JSON.stringify(echo));
  }

  #replied(text: string): void {
    const reply = decodeReply(text);
    if (reply === null) return;
    if ('number' in reply) this.#announcements.acknowledged(reply.number, reply.from);
    else if ('givenUp' in reply) this.#beginAnew();
    else if (this.listensTo(reply.epoch)) this.#listener.onEcho(reply);
  }

  /** Subscribes again, and trusts nothing until then. */
  #beginAnew(): void {
    this.#listener.onConnected(false);
    this.#subscriber.disconnect(true);
  }

  /** Closes the subscription. */
  close(): void {
    this.#endPings();
    this.#endConnection();
  }
}
