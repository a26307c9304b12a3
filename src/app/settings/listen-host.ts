import { isIP } from 'node:net';
import { WrongValue } from '../../index.ts';

/**
 * Checks the host to listen on.
 *
 * @param text a name or an address; one of IPv6 may be in brackets
 * @returns the same without brackets
 * @throws {WrongValue} when it is more than a host, such as a URL, or has a port
 */
export function parseListenHost(text: string): string {
  const host = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIP(host) !== 0 || /^[a-z0-9]([a-z0-9._-]*[a-z0-9.])?$/i.test(host)) {
    if (isIP(host) !== 0 || !/^[\d.]+$/.test(host)) return host;
  }
  throw new WrongValue(
    'expected a name or an address of this machine, such as 127.0.0.1; 0.0.0.0 or :: is all of its addresses. The port is another setting',
  );
}
