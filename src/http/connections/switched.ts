import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** The events of a server at which a connection goes on in another protocol, such as WebSocket. */
const SWITCHES = ['upgrade', 'connect'] as const;

/**
 * Tells of connections that switch to another protocol. They belong to whoever listens for that, from now on or later. Node answers the
 * request itself where nobody listens, so this listens only while somebody else does.
 *
 * @param server the server, whether or not it listens yet
 * @param onSwitched told of each such connection
 */
export function watchSwitched(server: Server, onSwitched: (socket: Socket) => void): void {
  for (const event of SWITCHES) {
    const tell = ({ socket }: IncomingMessage) => onSwitched(socket);
    const isOnly = () => server.listenerCount(event) === 1 && server.listenerCount(event, tell) === 1;
    if (server.listenerCount(event) > 0) server.prependListener(event, tell);
    // It comes before the listener is added.
    server.on('newListener', (name: string | symbol, listener: unknown) => {
      if (name === event && listener !== tell && server.listenerCount(event) === 0) server.on(event, tell);
    });
    server.on('removeListener', (name: string | symbol) => {
      if (name === event && isOnly()) server.off(event, tell);
    });
  }
}
