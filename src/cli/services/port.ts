import { createServer } from 'node:net';
import { ServiceError } from './service-error.ts';

/** How many ports above a taken one are tried before the system chooses one. */
const NEIGHBOURS = 20;

/**
 * Finds a port that is free now. The caller must expect that another program takes it first.
 *
 * @param host the address to listen on
 * @param preferred the preferred port; when it is taken, the next free one above it is found
 * @param avoid free ports that are meant for something else
 * @returns the port
 * @throws {ServiceError} when no port is free
 */
export async function findFreePort(host: string, preferred = 0, avoid: readonly number[] = []): Promise<number> {
  if (preferred !== 0) {
    for (let port = preferred; port <= Math.min(preferred + NEIGHBOURS, 65_535); port += 1) {
      if (!avoid.includes(port) && (await tryPort(host, port)) !== null) return port;
    }
  }
  for (;;) {
    const port = await tryPort(host, 0);
    if (port === null) throw new ServiceError(`No port is free on ${host}.`);
    if (!avoid.includes(port)) return port;
  }
}

function tryPort(host: string, port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(found));
    });
  });
}
