import type { Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import type { Clock } from '../clock.ts';
import { type ConnectionOptions, driverOptions } from './driver-options.ts';
import { ConnectionLost, isPlanOutdated, PlanOutdated } from './errors.ts';
import { PostgresRoute } from './route.ts';
import { SentOnce } from './sent-once.ts';
import { targetOf } from './source.ts';
import { takeRows } from './take-rows.ts';

/** Postgres' code for a write to a server that takes none. */
const READ_ONLY = '25006';

/** What Postgres' own time limit gets to act in before the connection is given up. */
export const GRACE_MS = 250;

/**
 * One connection to Postgres, given up at its first failure and never healed. The driver (postgres.js 3.4.9) would
 * connect again by itself and carry over what it had: bytes that were not sent, a statement that still waits, a rollback
 * that finds no socket and ends the process. A client of it for each connection, with one attempt each, keeps no state
 * that outlives its socket.
 */
export class Connection {
  /** When it is to be replaced, in milliseconds on the clock. */
  readonly dueAt: number;
  readonly #clock: Clock;
  readonly #client: Sql;
  /** `null` to wait for ever. */
  readonly #stuckMs: number | null;
  readonly #onLost: (connection: Connection, why: ConnectionLost) => void;
  /** What fails the statements under way. A handful, and no set of them: what was in one may outlive it for long (see draining.ts). */
  readonly #underWay: ((error: Error) => void)[] = [];
  readonly #prepare: boolean;
  /** Ends each statement that is prepared, so that a pooler takes it for another than those whose plans are outdated. */
  readonly #mark: string;
  /** Whether a server that became read-only is of no more use. */
  readonly #writes: boolean;
  readonly #attempt = new AbortController();
  #socket: Socket | null = null;
  #progressAt = 0;
  #stopWatching = () => {};
  #lost = false;
  #retired = false;

  /**
   * Connects when the first statement is sent.
   *
   * @param options where
   * @param onLost told once, when the connection is of no more use, and why
   * @param clock the time
   * @param maxAgeMs how old it may become, in milliseconds
   * @param mark a comment at the end of what is prepared, where a pooler keeps plans for others
   */
  constructor(
    options: ConnectionOptions,
    onLost: (connection: Connection, why: ConnectionLost) => void,
    clock: Clock,
    maxAgeMs = Number.POSITIVE_INFINITY,
    mark = '',
  ) {
    this.#clock = clock;
    this.dueAt = clock.now() + maxAgeMs;
    const { url, statementTimeoutMs } = options;
    this.#stuckMs = statementTimeoutMs === 0 ? null : statementTimeoutMs + GRACE_MS;
    this.#onLost = onLost;
    const target = targetOf(url);
    const route = options.route ?? new PostgresRoute(target, clock);
    this.#prepare = target.prepare;
    this.#mark = target.pooled && target.prepare ? mark : '';
    this.#writes = target.sessionAttrs === 'read-write' || target.sessionAttrs === 'primary';
    let opened = false;
    const socket = async () => {
      if (opened || this.#lost) throw new ConnectionLost();
      opened = true;
      this.#socket = await route.open(this.#attempt.signal);
      return this.#socket;
    };
    // The driver's types leave `socket` out.
    const once = { socket, max: 1, max_lifetime: 0, onclose: () => this.giveUp() } as object;
    this.#client = postgres({ ...driverOptions(target, statementTimeoutMs), ...once });
  }

  /** How many statements have been sent and not been answered. */
  get load(): number {
    return this.#underWay.length;
  }

  /** Whether it has been given up. */
  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Sends a statement after those under way; Postgres answers them in order.
   *
   * @param text the statement
   * @param parameters its parameters as SQL text; none for a command such as `begin`
   * @param asLists whether each row is a list of its values, in the order of the columns, and no object
   * @param prepared whether Postgres is to keep its plan for the next time
   * @returns the rows
   * @throws what Postgres or the driver says
   * @throws {ConnectionLost} when no answer comes any more
   */
  send<Row extends object>(
    text: string,
    parameters: readonly unknown[] = [],
    asLists = false,
    prepared = true,
  ): Promise<Row[]> {
    if (this.#lost) return Promise.reject(new ConnectionLost());
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        this.#settled(fail);
        if (isPlanOutdated(error)) this.#onOutdated();
        reject(isPlanOutdated(error) ? new PlanOutdated() : error);
        // What Postgres says of a statement leaves the connection as it was; all else is about the connection.
        if (!(error instanceof postgres.PostgresError) || (this.#writes && error.code === READ_ONLY)) this.giveUp();
      };
      this.#underWay.push(fail);
      this.#watchOver();
      // The driver's type for parameters lists JavaScript types.
      const query = this.#client.unsafe<Row[]>(prepared ? text + this.#mark : text, parameters as never[]);
      Object.assign(query, {
        options: new SentOnce(parameters.length === 0, this.#prepare && prepared, this.#onOutdated),
      });
      if (asLists) query.values();
      query.then((rows) => {
        if (!isComplete(rows)) return fail(new ConnectionLost());
        this.#settled(fail);
        resolve(takeRows(rows));
      }, fail);
    });
  }

  /** Drops the connection at once: what was sent and not answered has failed. */
  giveUp(): void {
    if (this.#lost) return;
    this.#fail(new ConnectionLost());
    this.#drop();
  }

  /** Ends the connection after the statements under way, at the latest after so many seconds. */
  async end(seconds: number): Promise<void> {
    await this.#client.end({ timeout: seconds });
    this.giveUp();
  }

  /** Drops the connection as soon as nothing is under way. */
  retire(): void {
    this.#retired = true;
    if (this.#underWay.length === 0) this.giveUp();
  }

  #fail(error: ConnectionLost): void {
    this.#lost = true;
    this.#stopWatching();
    this.#onLost(this, error);
    for (const fail of [...this.#underWay]) fail(error);
  }

  #drop(): void {
    void this.#client.end({ timeout: 0 });
    // A stopped backend would never close its end.
    this.#attempt.abort();
    this.#socket?.destroy();
  }

  /**
   * The driver sends a statement again when its plan is outdated, after those that were sent meanwhile: their answers and its own get mixed
   * up, and none of them ever ends. It must have written that before it finds its socket gone.
   */
  readonly #onOutdated = (): void => {
    if (this.#lost) return;
    this.#fail(new PlanOutdated());
    setImmediate(() => setImmediate(() => this.#drop()));
  };

  #settled(fail: (error: Error) => void): void {
    const place = this.#underWay.indexOf(fail);
    if (place >= 0) this.#underWay.splice(place, 1);
    if (this.#retired) this.retire();
    this.#progressAt = this.#clock.now();
  }

  /**
   * Gives the connection up when nothing has come for longer than a statement may take. A stopped backend never answers
   * and never hangs up, and whatever is sent after the statement that is stuck would be stuck, too.
   */
  #watchOver(): void {
    const stuckMs = this.#stuckMs;
    if (this.#underWay.length > 1 || stuckMs === null) return;
    this.#progressAt = this.#clock.now();
    this.#stopWatching();
    const look = () => {
      if (this.#underWay.length === 0) return;
      const left = stuckMs - (this.#clock.now() - this.#progressAt);
      if (left <= 0) this.giveUp();
      else this.#stopWatching = this.#clock.after(left, look);
    };
    this.#stopWatching = this.#clock.after(stuckMs, look);
  }
}

/** A statement whose connection closed may be answered by the driver with a result that Postgres never completed. */
function isComplete({ command }: { readonly command: string | null }): boolean {
  return command !== null;
}
