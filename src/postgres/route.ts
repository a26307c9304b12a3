import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import postgres from 'postgres';
import type { Clock } from '../clock.ts';
import { reasonOf } from '../reason-of.ts';
import { PostgresUnreachable } from './errors.ts';
import { KEPT_SETTINGS, WRONG_FOR_VALUES } from './session-settings.ts';
import { occurs } from './socket-event.ts';
import type { PostgresHost, PostgresTarget } from './url.ts';

/** How long a host may take when the URL does not say, in milliseconds. */
const CONNECT_MS = 5000;
const CONNECT_OF_SEVERAL_MS = 1000;

/** Asks whether a server supports TLS (PostgreSQL documentation, 54.7, SSLRequest). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = 'S'.charCodeAt(0);
const NO = 'N'.charCodeAt(0);

/** What a server says of itself. */
interface Role {
  readonly standby: boolean;
  readonly read_only: boolean;
}

/** Connects to a Postgres, through the hosts of its URL. The driver's own way checks no certificate's address, and takes any host. */
export class PostgresRoute {
  readonly #target: PostgresTarget;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** The host that accepted last. */
  #first: number;
  #password = '';

  /**
   * @param target the hosts, and the wanted kind of server
   * @param clock the time
   */
  constructor(target: PostgresTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.#timeoutMs = target.connectTimeoutMs ?? (target.hosts.length > 1 ? CONNECT_OF_SEVERAL_MS : CONNECT_MS);
    this.#first = target.shuffled ? Math.floor(Math.random() * target.hosts.length) : 0;
  }

  /** The newest password, for the driver to log in with. It is known before a socket is there, so that the driver has nothing to wait for. */
  readonly password = (): string => this.#password;

  /**
   * Connects to the first host that answers and is of the wanted kind, beginning with the one that accepted last.
   *
   * @param signal ends the attempt
   * @returns a socket on which Postgres waits for the startup message, encrypted as the URL demands
   * @throws {PostgresUnreachable} with the reason for each host, or why there is no password
   */
  async open(signal: AbortSignal): Promise<Socket> {
    const { hosts, sessionAttrs } = this.#target;
    const wishes = sessionAttrs === 'prefer-standby' ? ['standby', 'any'] : [sessionAttrs];
    const order = hosts.map((_, i) => (this.#first + i) % hosts.length);
    const failures: Error[] = [];
    this.#password = await passwordOf(this.#target, this.#clock);
    for (const wish of wishes) {
      for (const i of order) {
        const host = hosts[i] as PostgresHost;
        try {
          if (wish !== 'any' && !suits(await this.#roleOf(host, signal), wish)) {
            throw new Error(`it is not a server for ${wish} sessions`);
          }
          if (this.#target.pooled) await this.#checkPooled(host, signal);
          const socket = await this.#reach(host, signal);
          this.#first = i;
          return socket;
        } catch (error) {
          failures.push(describe(host, error));
        }
      }
    }
    throw new PostgresUnreachable(failures);
  }

  async #reach(host: PostgresHost, signal: AbortSignal): Promise<Socket> {
    const plain = connect(
      'path' in host ? { path: host.path } : { host: host.address, port: host.port, noDelay: true },
    );
    // Each wait reports errors. An error between two waits must not end the process.
    plain.on('error', () => {});
    const limits = { clock: this.#clock, ms: this.#timeoutMs, signal };
    try {
      await occurs(plain, 'connect', limits);
      const { mode, direct, options } = this.#target.tls;
      if ('path' in host || mode === 'disable') return plain;
      if (!direct) {
        plain.write(SSL_REQUEST);
        const answer = await occurs(plain, 'data', limits);
        // Bytes after the first would be taken for encrypted ones.
        if (!Buffer.isBuffer(answer) || answer.length !== 1) throw new Error('it does not answer as Postgres does');
        if (answer[0] === NO && mode === 'prefer') return plain;
        if (answer[0] !== YES) throw new Error('it has no TLS, which sslmode demands');
      }
      const secure = connectTls({ ...options(host.host), socket: plain });
      secure.on('error', () => {});
      await occurs(secure, 'secureConnect', limits);
      return secure;
    } catch (error) {
      plain.destroy();
      throw error;
    }
  }

  #roleOf(host: PostgresHost, signal: AbortSignal): Promise<Role> {
    return this.#ask(
      host,
      signal,
      "select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as read_only",
    );
  }

  async #checkPooled(host: PostgresHost, signal: AbortSignal): Promise<void> {
    const { role, wrong } = await this.#ask<{ role: string; wrong: string }>(host, signal, WRONG_FOR_VALUES);
    if (wrong === '') return;
    const statements = wrong.split(/, (?=\w+ = )/).map((setting) => `ALTER ROLE ${role} SET ${setting};`);
    throw new Error(`what is set for a session is lost behind it: ${statements.join(' ')}`);
  }

  /** A connection of its own, since the driver must not know of a server that is not used. */
  async #ask<Row extends object>(host: PostgresHost, signal: AbortSignal, text: string): Promise<Row> {
    const { user, database, settings } = this.#target;
    const socket = await this.#reach(host, signal);
    const connection = { ...settings, ...KEPT_SETTINGS };
    const once = { socket: () => socket, max: 1, fetch_types: false, prepare: false, connection, onnotice: () => {} };
    // The driver's types leave `socket` out.
    const client = postgres({ ...once, user, pass: this.#password, database, ssl: false } as object);
    try {
      const asked = client.unsafe<[Row]>(text);
      const closed = occurs(socket, 'close', { clock: this.#clock, ms: this.#timeoutMs, signal });
      const lost = closed.then(() => {
        throw new Error('it closed the connection');
      });
      const [row] = await Promise.race([asked, lost]);
      return row;
    } finally {
      socket.destroy();
      await client.end({ timeout: 0 });
    }
  }
}

/**
 * The driver (postgres.js 3.4.9) would wait for such a function amid the login. The process would end if it failed, or if the socket closed
 * meanwhile: nothing there handles that.
 */
async function passwordOf({ password }: PostgresTarget, clock: Clock): Promise<string> {
  if (typeof password !== 'function') return password ?? '';
  let stop = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    stop = clock.after(CONNECT_MS, () => reject(new Error(`no answer in ${CONNECT_MS} ms`)));
  });
  try {
    const found: unknown = await Promise.race([password(), late]);
    if (typeof found !== 'string')
      throw new TypeError(`it gave no text, but ${found === null ? 'null' : typeof found}`);
    return found;
  } catch (error) {
    throw new PostgresUnreachable([new Error(`the function for its password: ${reasonOf(error)}`, { cause: error })]);
  } finally {
    stop();
  }
}

function suits({ standby, read_only }: Role, wish: string): boolean {
  if (wish === 'primary') return !standby;
  if (wish === 'standby') return standby;
  return read_only === (wish === 'read-only');
}

function describe(host: PostgresHost, error: unknown): Error {
  const place = 'path' in host ? host.path : `${host.host}:${host.port}`;
  const { message, errors = [] } = error as AggregateError;
  const reason = message || errors.map((inner: Error) => inner.message).join('; ');
  return Object.assign(new Error(`${place}: ${reason}`), { code: (error as NodeJS.ErrnoException).code });
}
