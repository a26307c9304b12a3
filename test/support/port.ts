import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { findFreePort } from '../../src/cli/services/port.ts';

/** Below what Linux gives away by itself (`ip_local_port_range` begins at 32768), to servers on port 0 and to connections. */
const FROM = 10_000;
const TO = 32_000;

/**
 * Finds a port for a program that must be told one and starts later. Nobody who lets the system choose is given it meanwhile, nor is
 * another test on this machine, until this process ends.
 *
 * @returns the port, of 127.0.0.1
 * @throws when this process cannot open a socket
 */
export async function portForLater(): Promise<number> {
  for (;;) {
    const port = await findFreePort('127.0.0.1', FROM + Math.floor(Math.random() * (TO - FROM)));
    if (await promised(port)) return port;
  }
}

/** Holds the same port of UDP, which no test uses, for as long as this process lives, however it ends. `false` when another holds it. */
async function promised(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ address: '127.0.0.1', port });
    await once(socket, 'listening');
    socket.unref();
    return true;
  } catch (error) {
    socket.close();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}
