import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import type { Clock } from '../../clock.ts';

/** How long connections may be open on which nothing is asked, and how many of them. */
export interface ConnectionLimits {
  /** How long one stays open before its first request and between requests, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long a client may take for a request that it began to send, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How many may wait for a request; beyond that, those that have waited longest are closed. */
  readonly maxIdle: number;
}

/** What is known of one connection. */
interface Connection {
  /** The answer that was last begun on it, if that is under way, or its request still comes in. */
  response: ServerResponse | null;
  /** Since when it waits for a request, as the clock has it. */
  idleSince: number;
  /** How many bytes had been read by then. */
  idleBytes: number;
  /** When bytes were first seen that are no request yet; `null` for never. */
  begunAt: number | null;
  used: boolean;
}

/** The open connections of a server. */
export class Connections {
  // Each connection with the answer that was last begun on it. A set of all answers under way would keep them: once a table of a set
  // or map has grown old, V8 keeps every table that takes its place, and what is in it, until the next full collection. That made
  // pauses at each of them.
  readonly #open = new Map<Socket, Connection>();
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
   * @param limits how long, and how many
   * @param giveUp answers and closes a connection whose client takes too long
   */
  constructor(server: Server, clock: Clock, limits: ConnectionLimits, giveUp: (socket: Socket) => void) {
    this.#server = server;
    this.#clock = clock;
    this.#limits = limits;
    this.#giveUp = giveUp;
    // With TLS it is the encrypted stream that requests come on.
    const opened = server instanceof TlsServer ? 'secureConnection' : 'connection';
    server.on(opened, (socket: Socket) => this.#onConnection(socket));
    // A connection that speaks another protocol from now on, such as WebSocket, is theirs who take it. Where nobody does, Node goes on.
    server.once('listening', () => {
      for (const event of ['upgrade', 'connect'] as const) {
        if (server.listenerCount(event) > 0) server.prependListener(event, ({ socket }) => this.#leave(socket));
      }
    });
    // Before the answer is made, so that its headers can say that it is the last.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(request, response),
    );
    server.on('timeout', (socket: Socket) => {
      // Who began to send has the time that a request has, which others measure.
      if (!this.#hasBegun(socket)) socket.destroy();
    });
    const stop = clock.tick(Math.ceil(limits.requestTimeoutMs / 10), () => this.#sweep());
    server.once('close', stop);
  }

  /** How many connections and requests there have been. */
  get events(): number {
    return this.#events;
  }

  /** When the last request came, as the clock has it; only known once the last answers are announced. */
  get lastRequest(): number {
    return this.#lastRequest;
  }

  /** Tells clients with their next answer that it is the last on its connection. */
  announceLast(): void {
    this.#announcing = true;
    this.#lastRequest = this.#clock.now();
    for (const { response } of this.#open.values()) if (response !== null) response.shouldKeepAlive = false;
  }

  /** Closes the connections on which nothing is asked, and from now on each as soon as it has its answer. */
  closeIdle(): void {
    this.#closing = true;
    for (const [socket, { response }] of this.#open) {
      if (response === null && !this.#hasBegun(socket)) socket.destroy();
    }
  }

  /**
   * @param socket a connection
   * @returns whether its client still sends a request that it has the answer to
   */
  isAnswered(socket: Socket): boolean {
    return this.#open.get(socket)?.response?.writableFinished ?? false;
  }

  /** @returns settles when no connection is open any more */
  async empty(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  #onConnection(socket: Socket): void {
    this.#events += 1;
    // Until its first request it may wait for as long as after any other: load balancers open connections ahead.
    socket.setTimeout(this.#limits.keepAliveMs);
    this.#open.set(socket, {
      response: null,
      idleSince: this.#clock.now(),
      idleBytes: 0,
      begunAt: null,
      used: false,
    });
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#emptied();
    });
  }

  #leave(socket: Socket): void {
    socket.setTimeout(0);
    this.#open.delete(socket);
    if (this.#open.size === 0) this.#emptied();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    this.#events += 1;
    if (!connection.used) {
      connection.used = true;
      socket.setTimeout(this.#server.timeout);
    }
    if (this.#announcing) {
      this.#lastRequest = this.#clock.now();
      // Where several were asked at once, the last answer closes the connection.
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
      // It may have been written before anybody knew that it would be the last.
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

  /** Node measures requests from their first byte. Blank lines before it are none, and each would put the end of the waiting off. */
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
