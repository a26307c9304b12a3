import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { AnswerError } from '../support/server.ts';

/** What to send, as `fetch` would not always let us. */
export interface Sent {
  readonly method?: string;
  /** The request target; `/graphql` unless given. */
  readonly path?: string;
  /** Parameters to put behind the path, each encoded. */
  readonly search?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** An object is sent as JSON, with the type that goes with it unless the headers have another. */
  readonly body?: string | Uint8Array | object;
  readonly agent?: Agent;
}

/** What came back. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** The bytes of the body as they came. */
  readonly body: Buffer;
  /** How long it took from the first byte sent to the last one received, in milliseconds. */
  readonly ms: number;
  /** The body as GraphQL has it; `{}` when it is not JSON. */
  readonly json: {
    readonly data?: unknown;
    readonly errors?: readonly AnswerError[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  };
}

/**
 * Sends one request, header by header as given.
 *
 * @param url the server
 * @param sent the request
 * @returns the response, whatever its status
 * @throws when the connection breaks before there is one
 */
export function send(url: string, sent: Sent): Promise<Received> {
  const json = typeof sent.body === 'object' && !(sent.body instanceof Uint8Array);
  const body = json ? JSON.stringify(sent.body) : (sent.body as string | Uint8Array | undefined);
  const search = sent.search === undefined ? '' : `?${new URLSearchParams(sent.search)}`;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: sent.method ?? (body === undefined ? 'GET' : 'POST'),
      path: `${sent.path ?? '/graphql'}${search}`,
      agent: sent.agent ?? false,
      headers: {
        ...(json ? { 'content-type': 'application/json' } : {}),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...sent.headers,
      },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const body = Buffer.concat(chunks);
        const text = body.toString('utf8');
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers as Record<string, string | undefined>,
          text,
          body,
          ms: performance.now() - started,
          json: parsed(text),
        });
      });
    });
    outgoing.end(body);
  });
}

/** A body of the server is an object or no JSON at all. */
function parsed(text: string): Received['json'] {
  try {
    return JSON.parse(text) as Received['json'];
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/**
 * @param received a response
 * @returns the code of each of its errors
 */
export function codes({ json }: Pick<Received, 'json'>): unknown[] {
  return (json.errors ?? []).map((error) => error.extensions?.code);
}

/**
 * Keeps connections for one test.
 *
 * @param t the test
 * @param connections how many at most
 * @returns the agent
 */
export function keepAlive(t: Test, connections: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  t.teardown(() => agent.destroy());
  return agent;
}

/** A connection of which the test writes and reads every byte. */
export interface RawConnection {
  readonly socket: Socket;
  /** What has come so far. */
  text(): string;
  /** Waits for the other side to hang up, and answers how long that took since the connection was made, in milliseconds. */
  readonly closed: Promise<number>;
}

/**
 * Opens a connection and writes to it.
 *
 * @param t the test, with which the connection ends
 * @param url the server
 * @param bytes what to write at once
 * @returns the connection
 */
export async function openRaw(t: Test, url: string, bytes: string | Uint8Array): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const started = performance.now();
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += String(chunk);
  });
  const closed = new Promise<number>((resolve) => {
    // A reset is a way to hang up, too.
    socket.on('error', () => {});
    socket.once('close', () => resolve(performance.now() - started));
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.write(bytes);
  return { socket, text: () => text, closed };
}
