import { type Redis, ReplyError } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { retryPause, SILENT_TIMEOUTS } from '../redis/connection.ts';
import { hearEveryError, replaceWhenOutOfStep } from '../redis/guard.ts';
import { inTime } from '../redis/in-time.ts';
import type { Told } from '../redis/send-invalidation.ts';
import { openRedis, type RedisSource } from '../redis/source.ts';
import { Announcements } from './announcements.ts';
import type { BusListener } from './listener.ts';
import { type Acknowledgement, decodeMessage, decodeReply, type Echo, type GivenUp, type Message } from './messages.ts';
import { ReplyChannels } from './reply-channels.ts';

/** How often the subscription is asked whether it still stands: what would come on it may be nothing for hours. */
const PING_MS = 250;

/**
 * Tells every process which keys to forget, over Redis' publish and subscribe. It makes "read your own write" hold in
 * other processes, whose memory tier would else serve a body for up to its time to live: the writer's answer waits
 * until each of them has acknowledged. And it lets a process find out that it has missed nothing, by telling itself something.
 */
export class InvalidationBus {
  readonly #subscriber: Redis;
  readonly #channel: string;
  readonly #replies: ReplyChannels;
  readonly #tell: (channel: string, text: string) => Promise<number | null>;
  readonly #endPings: () => void;
  readonly #listener: BusListener;
  readonly #announcements: Announcements;
  /** The Redis process that this one listens to; `null` while there is none, or Redis does not tell. */
  #run: string | null = null;

  /**
   * Subscribes in the background, and again after each lost connection.
   *
   * @param source where Redis is
   * @param prefix put before the channels' names
   * @param listener what to do about messages
   * @param tell publishes on a channel what may be lost: acknowledgements and echoes; answers `null` when it was
   * @param onError told of each failure, for the log
   * @param clock the time
   * @param timeoutMs how long a round trip of a request may take, in milliseconds; one of the bus ten times that
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
      connectTimeout: 1000,
      socketTimeout: silenceMs,
      retryStrategy: retryPause,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
    });
    this.#subscriber.on('error', onError);
    hearEveryError(this.#subscriber);
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
        // A connection that does not answer is replaced: it may have lost an answer, and then nothing else would end it. What
        // Redis refuses is an answer, too, and what was asked on an earlier connection says nothing of this one.
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

  /** Where invalidations are published. */
  get channel(): string {
    return this.#channel;
  }

  /** Where processes are replied to that acknowledge, as a pattern for Redis. */
  get acknowledgers(): string {
    return this.#replies.pattern;
  }

  /** The processes that are waited for no more, each by its host and its id there. */
  get silent(): readonly string[] {
    return this.#announcements.silent.map((channel) => this.#replies.processOf(channel));
  }

  /**
   * @param keys the keys to forget
   * @param reply whether the processes shall acknowledge
   * @returns the message's text, and a wait until all that Redis says were told of it have acknowledged it, at most `ms`
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
    void this.#tell(this.#replies.own, JSON.stringify(echo));
  }

  #replied(text: string): void {
    const reply = decodeReply(text);
    if (reply === null) return;
    if ('number' in reply) this.#announcements.acknowledged(reply.number, reply.from);
    else if ('givenUp' in reply) this.#beginAnew();
    else if (this.listensTo(reply.epoch)) this.#listener.onEcho(reply);
  }

  /** Subscribes anew, and believes nothing until then. */
  #beginAnew(): void {
    this.#listener.onConnected(false);
    this.#subscriber.disconnect(true);
  }

  close(): void {
    this.#endPings();
    this.#subscriber.disconnect();
  }
}
