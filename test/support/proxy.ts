import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** A TCP proxy before a server, to slow down, hold up, divert or cut what processes say to it. */
export interface TcpProxy {
  readonly port: number;
  /** Where new connections go from now on. */
  target(port: number): void;
  /** Ends all connections. */
  cut(): void;
  /** How long each piece of data is held, in milliseconds; asked for each piece and direction. */
  delay(ms: () => number): void;
  /**
   * Holds what is sent from the next piece of data on in which the text stands, each connection for itself.
   *
   * @param text the text
   * @param from who sends it; the client when it is not given
   * @returns a promise of the first such piece, and a function that lets all go on and waits until it has
   */
  hold(text: string, from?: 'client' | 'server'): { reached: Promise<void>; release: () => Promise<void> };
  /** Whether clients are left in the belief that a connection stands after the server has closed it. */
  conceal(on: boolean): void;
}

/** What is held, and until when. */
interface Hold {
  readonly text: string;
  readonly from: 'client' | 'server';
  readonly reach: () => void;
  readonly released: Promise<void>;
  /** One for each piece in which the text stands: that it has gone on. */
  readonly gone: Promise<void>[];
}

/**
 * Opens a proxy; it is closed when the test ends.
 *
 * @param t the test that it is for
 * @param port where the server is
 * @returns the proxy
 */
export async function openProxy(t: Pick<Test, 'teardown'>, port: number): Promise<TcpProxy> {
  let targetPort = port;
  let delayMs: () => number = () => 0;
  let concealing = false;
  let held: Hold | null = null;
  const pairs = new Set<readonly [Socket, Socket]>();

  /** Passes data on in order, whatever each piece waits for. */
  const pipe = (from: Socket, to: Socket, sender: 'client' | 'server') => {
    let before: Promise<void> = Promise.resolve();
    let waiting = 0;
    from.on('data', (data) => {
      const stop = held?.from === sender && data.includes(held.text) ? held : null;
      stop?.reach();
      const ms = delayMs();
      if (waiting === 0 && stop === null && ms === 0) {
        to.write(data);
        return;
      }
      waiting += 1;
      before = before.then(async () => {
        await stop?.released;
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        if (!to.destroyed) to.write(data);
        waiting -= 1;
      });
      stop?.gone.push(before);
    });
  };

  const server = createServer((client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1' });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    pipe(client, upstream, 'client');
    pipe(upstream, client, 'server');
    // A reset is an end, too.
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => {
      upstream.destroy();
      pairs.delete(pair);
    });
    upstream.on('close', () => {
      if (!concealing) client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  t.teardown(() => {
    cut();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The proxy has no port.');
  return {
    port: address.port,
    target: (next) => {
      targetPort = next;
    },
    cut,
    delay: (ms) => {
      delayMs = ms;
    },
    hold: (text, from = 'client') => {
      let reach = () => {};
      let release = () => {};
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const mine: Hold = { text, from, reach, released, gone: [] };
      held = mine;
      return {
        reached,
        release: async () => {
          if (held === mine) held = null;
          release();
          await Promise.all(mine.gone);
        },
      };
    },
    conceal: (on) => {
      concealing = on;
    },
  };
}
