import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** Stands between Larder and one of its stores, and does to what passes what networks do. */
export interface FaultyProxy {
  readonly port: number;
  /** How many connections were ever accepted. */
  readonly accepted: number;
  /** Lets everything pass again, what was held first. */
  pass(): void;
  /** Holds everything in both directions, of connections that are open and of new ones, and closes nothing. */
  hold(): void;
  /** Lets answers pass so many milliseconds late. */
  delay(ms: number): void;
  /** Puts something else in the place of each answer. */
  garble(answer: (real: Buffer) => Buffer): void;
  /** Breaks every open connection. */
  reset(): void;
  /** Breaks every open connection and refuses new ones. */
  refuse(): Promise<void>;
  /** Accepts new connections and closes them at once, in an orderly manner. */
  hangUp(): void;
  /** Listens again, on the same port. */
  listen(): Promise<void>;
}

/**
 * Starts a proxy that passes everything on, and closes it when the test ends.
 *
 * @param t the test that it is for
 * @param target the port of the store, on 127.0.0.1
 * @returns the proxy
 */
export async function faultyProxy(t: Test, target: number): Promise<FaultyProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let held = false;
  let hangsUp = false;
  let delayMs = 0;
  let accepted = 0;
  let answer: ((real: Buffer) => Buffer) | null = null;

  const onConnection = (client: Socket) => {
    accepted += 1;
    if (hangsUp) {
      client.on('error', () => {});
      client.end();
      client.resume();
      return;
    }
    const store = connect({ host: '127.0.0.1', port: target, noDelay: true });
    const pair = [client, store] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      store.destroy();
    };
    for (const socket of pair) {
      // Whatever breaks on one side breaks the other.
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => store.write(chunk));
    store.on('data', (chunk) => {
      const sent = answer === null ? chunk : answer(chunk);
      if (delayMs === 0) client.write(sent);
      else setTimeout(() => client.writable && client.write(sent), delayMs);
    });
    if (held) for (const socket of pair) socket.pause();
  };

  const server = createServer({ noDelay: true }, onConnection);
  const listen = async (port: number) => {
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
  };
  const stopListening = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  const reset = () => {
    for (const [client, store] of [...pairs]) {
      // Node never closes a socket that is reset while it ends, and then its process never ends (uv_tcp_close_reset
      // refuses).
      if (client.writableEnded) client.destroy();
      else client.resetAndDestroy();
      store.destroy();
    }
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  t.teardown(async () => {
    reset();
    if (server.listening) await stopListening();
  });
  const flow = (stopped: boolean) => {
    held = stopped;
    for (const pair of pairs) for (const socket of pair) stopped ? socket.pause() : socket.resume();
  };
  return {
    port,
    get accepted() {
      return accepted;
    },
    pass: () => {
      delayMs = 0;
      answer = null;
      hangsUp = false;
      flow(false);
    },
    hold: () => flow(true),
    delay: (ms) => {
      delayMs = ms;
    },
    garble: (garbled) => {
      answer = garbled;
    },
    reset,
    hangUp: () => {
      hangsUp = true;
    },
    refuse: async () => {
      const stopped = stopListening();
      reset();
      await stopped;
    },
    listen: () => listen(port),
  };
}

/**
 * The address of a store by way of a proxy.
 *
 * @param url the store's own address
 * @param proxy the proxy
 * @returns the address to give to Larder
 */
export function through(url: string, proxy: FaultyProxy): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}
