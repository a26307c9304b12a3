import type { Socket } from 'node:net';
import postgres, { type RowList, type Sql } from 'postgres';
import type { Clock } from '../clock.ts';
import { ask, type ConnectionOptions, driverOptions, isComplete, SentOnce, takeRows } from './driver.ts';
import { ConnectionLost, isPlanOutdated, PlanOutdated } from './errors.ts';
import { PostgresRoute } from './route.ts';
import { GRACE_MS } from './session-settings.ts';
import { targetOf } from './source.ts';

/** Postgres' code for a write to a read-only server. */
const READ_ONLY = '25006';

/**
 * One connection to Postgres. It is given up at its first failure, and never repaired. The driver (postgres.js 3.4.9) would connect again
 * by itself and carry over its state: unsent bytes, a waiting statement, a rollback without a socket that ends the process. So each
 * connection has a client of its own with one attempt. Its state ends with its socket.
 */
export class Connection {
  /** When it is to be replaced, in milliseconds on the monotonic clock. */
  readonly dueAt: number;
  readonly #clock: Clock;
  readonly #client: Sql;
  /** How long an answer may take, in milliseconds; `null` for no limit. */
  readonly #stuckMs: number | null;
  readonly #onLost: (connection: Connection, why: ConnectionLost) => void;
  /** Fails the statements under way: few, and in no Set, which may keep its former members in memory for long (see connections.ts). */
  readonly #underWay: ((error: Error) => void)[] = [];
  readonly #prepare: boolean;
  /** A comment at the end of each prepared statement. It makes a pooler distinguish the statement from those whose plans are outdated. */
  readonly #mark: string;
  /** Whether it is given up when its server becomes read-only. */
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
   * @param options where Postgres is
   * @param onLost told once, when the connection is given up, and why
   * @param clock the time
   * @param maxAgeMs how old it may become, in milliseconds
   * @param mark the comment at the end of each prepared statement
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
    this.#client = postgres({ ...driverOptions(target, statementTimeoutMs, route.password), ...once });
  }

  /** How many statements have been sent but not answered. */
  get load(): number {
    return this.#underWay.length;
  }

  /** Whether it has been given up. */
  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Sends a statement after those under way. Postgres answers them in order.
   *
   * @param text the statement
   * @param parameters its parameters as SQL text; none for a command such as `begin`
   * @param asLists whether each row is a list of its values, in the order of the columns, instead of an object
   * @param prepared whether Postgres keeps its plan for the next time
   * @param take takes the rows out of the driver's result
   * @returns the rows
   * @throws the error of Postgres or of the driver
   * @throws {ConnectionLost} when no answer comes any more
   */
  send<Row extends object>(
    text: string,
    parameters: readonly unknown[] = [],
    asLists = false,
    prepared = true,
    take: (result: RowList<Row[]>) => Row[] = takeRows,
  ): Promise<Row[]> {
    if (this.#lost) return Promise.reject(new ConnectionLost());
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        this.#settled(fail);
        if (isPlanOutdated(error)) this.#onOutdated();
        reject(isPlanOutdated(error) ? new PlanOutdated() : error);
        // An error of Postgres about a statement leaves the connection usable. Any other error is about the connection.
        if (!(error instanceof postgres.PostgresError) || (this.#writes && error.code === READ_ONLY)) this.giveUp();
      };
      this.#underWay.push(fail);
      this.#watchOver();
      const sent = new SentOnce(parameters.length === 0, this.#prepare && prepared, this.#onOutdated);
      ask<Row>(this.#client, prepared ? text + this.#mark : text, parameters, sent, asLists).then((rows) => {
        if (!isComplete(rows)) return fail(new ConnectionLost());
        this.#settled(fail);
        resolve(take(rows));
      }, fail);
    });
  }

  /** Drops the connection at once. Statements without an answer have failed. */
  giveUp(): void {
    if (this.#lost) return;
    this.#fail(new ConnectionLost());
    this.#drop();
  }

  /**
   * Closes the connection after the statements under way.
   *
   * @param seconds how long that may take
   */
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
   * When a plan is outdated, the driver sends the statement again, after those that were sent meanwhile. Their answers get mixed up, and
   * none of them ever ends. The driver must have written it before it finds its socket gone.
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
   * Gives the connection up when no answer has come for longer than a statement may take. A stopped backend neither answers nor hangs up,
   * and later statements would be stuck behind the first.
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
