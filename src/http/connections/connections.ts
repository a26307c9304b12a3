import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import type { Clock } from '../../clock.ts';
import { Http2Sessions, speaksHttp2 } from './http2-sessions.ts';
import { watchSwitched } from './switched.ts';

/** How long idle connections may stay open, and how many of them. */
export interface ConnectionLimits {
  /** How long a connection stays open before its first request and between requests, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long a client may take to send a request, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How many connections may wait for a request. Beyond that, those that have waited longest are closed. */
  readonly maxIdle: number;
}

/** What is known of one connection. */
interface Connection {
  /** The last response on it, while it is sent or its request still comes in; otherwise `null`. */
  response: ServerResponse | null;
  /** Since when it waits for a request, in milliseconds on the monotonic clock. */
  idleSince: number;
  /** How many bytes had been read at that time. */
  idleBytes: number;
  /** When bytes were first seen that are no request yet; `null` for none. */
  begunAt: number | null;
  used: boolean;
}

/** The open connections of a server. Those that speak HTTP/2 are apart (`Http2Sessions`). */
export class Connections {
  // Maps each connection to its last response. A set of all responses would keep them in memory. V8 keeps the former tables of an old set
  // or map until the next full collection, with all that is in them. That caused pauses.
  readonly #open = new Map<Socket, Connection>();
  readonly #sessions: Http2Sessions;
  readonly #clock: Clock;
  readonly #limits: ConnectionLimits;
  readonly #server: Server;
  readonly #giveUp: (socket: Socket) => void;
  #events = 0;
  #lastRequest = 0;
  #announcing = false;
  #closing = false;
  #emptied = () => {};

  /**
   * @param server the server, which need not listen yet
   * @param clock the time
   * @param limits how long connections may be idle, and how many
   * @param giveUp answers and closes a connection whose client takes too long
   */
  constructor(server: Server, clock: Clock, limits: ConnectionLimits, giveUp: (socket: Socket) => void) {
    this.#server = server;
    this.#clock = clock;
    this.#limits = limits;
    this.#giveUp = giveUp;
    // With TLS, requests arrive on the encrypted stream.
    const opened = server instanceof TlsServer ? 'secureConnection' : 'connection';
    server.on(opened, (socket: Socket) => this.#onConnection(socket));
    this.#sessions = new Http2Sessions(server, () => this.#closed());
    watchSwitched(server, (socket) => this.#leave(socket));
    // It runs before the response is made, so that the response's headers can say that it is the last.
    server.prependListener('request', (request, response) => this.#onRequest(request, response));
    server.on('timeout', (socket: Socket) => {
      // A client that began to send has the time of a request, which is measured elsewhere.
      if (!this.#hasBegun(socket)) socket.destroy();
    });
    const stop = clock.tick(Math.ceil(limits.requestTimeoutMs / 10), () => this.#sweep());
    server.once('close', stop);
  }

  /** How many connections and requests there have been. */
  get events(): number {
    return this.#events;
  }

  /** When the last request came, in milliseconds on the monotonic clock. It is only known once the last responses are announced. */
  get lastRequest(): number {
    return this.#lastRequest;
  }

  /** Tells each client with its next response that it is the last on its connection. */
  announceLast(): void {
    this.#announcing = true;
    this.#lastRequest = this.#clock.now();
    this.#sessions.end();
    for (const { response } of this.#open.values()) if (response !== null) response.shouldKeepAlive = false;
  }

  /** Closes idle connections, and from now on each other connection after its response. */
  closeIdle(): void {
    this.#closing = true;
    for (const [socket, { response }] of this.#open) {
      if (response === null && !this.#hasBegun(socket)) socket.destroy();
    }
  }

  /**
   * @param socket a connection
   * @returns whether its client still sends a request that was answered already
   */
  isAnswered(socket: Socket): boolean {
    return this.#open.get(socket)?.response?.writableFinished ?? false;
  }

  /** @returns settles when no connection is open any more */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#closed();
    });
  }

  #closed(): void {
    if (this.#open.size === 0 && this.#sessions.size === 0) this.#emptied();
  }

  #onConnection(socket: Socket): void {
    this.#events += 1;
    if (speaksHttp2(this.#server, socket)) return;
    // It may wait as long for its first request as for any other, since load balancers open connections ahead.
    socket.setTimeout(this.#limits.keepAliveMs);
    const idleSince = this.#clock.now();
    this.#open.set(socket, { response: null, idleSince, idleBytes: 0, begunAt: null, used: false });
    socket.once('close', () => this.#forget(socket));
  }

  #leave(socket: Socket): void {
    socket.setTimeout(0);
    this.#forget(socket);
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#closed();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#events += 1;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    if (!connection.used) {
      connection.used = true;
      socket.setTimeout(this.#server.timeout);
    }
    if (this.#announcing) {
      this.#lastRequest = this.#clock.now();
      // With pipelined requests, the last response closes the connection.
      if (connection.response?.headersSent === false) connection.response.shouldKeepAlive = true;
      response.shouldKeepAlive = false;
    }
    connection.response = response;
    const done = () => {
      if (connection.response !== response) return;
      connection.response = null;
      connection.idleSince = this.#clock.now();
      connection.idleBytes = socket.bytesRead;
      connection.begunAt = null;
      // This response may have been written before it was known to be the last.
      if (this.#closing) socket.destroySoon();
    };
    response.on('close', () => {
      if (request.complete) done();
      else finished(request, done);
    });
  }

  /** Whether bytes have come on a connection that are no request yet. */
  #hasBegun(socket: Socket): boolean {
    const connection = this.#open.get(socket);
    return connection !== undefined && connection.response === null && socket.bytesRead > connection.idleBytes;
  }

  /**
   * Closes connections whose client sends blank lines for too long, and those beyond the limit. Node measures a request from its first
   * byte. Blank lines before it do not count, and each would extend the wait.
   */
  #sweep(): void {
    const now = this.#clock.now();
    const idle: [Socket, Connection][] = [];
    for (const [socket, connection] of this.#open) {
      if (connection.response !== null) continue;
      if (!this.#hasBegun(socket)) idle.push([socket, connection]);
      else if (connection.begunAt === null) connection.begunAt = now;
      else if (now - connection.begunAt >= this.#limits.requestTimeoutMs) this.#giveUp(socket);
    }
    const surplus = idle.length - this.#limits.maxIdle;
    if (surplus <= 0) return;
    idle.sort(([, a], [, b]) => a.idleSince - b.idleSince);
    for (const [socket] of idle.slice(0, surplus)) socket.destroy();
  }
}
