import { isIP } from 'node:net';
import { WrongValue } from '../../wrong-value.ts';

/** Names of networks: this machine, its link, and private use. */
const NAMES = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * Checks the address of a proxy that may say for whom it forwards.
 *
 * @param text an address, a network such as `10.0.0.0/8` or `10.0.0.0/255.0.0.0`, or the name of some networks
 * @returns the same in the form that fastify understands
 * @throws {WrongValue} when no proxy could ever have that address, or any client could
 */
export function parseTrustedProxy(text: string): string {
  if (NAMES.includes(text.toLowerCase())) return text.toLowerCase();
  const expected = `${JSON.stringify(text)} is not an address or a network of proxies, such as 10.0.0.5, 10.0.0.0/8 or fd00::/8, nor one of ${NAMES.join(', ')}`;
  if (/^(\d+|true|false|yes|no|on|\*|all)$/i.test(text)) {
    throw new WrongValue(`${expected}: with a number of proxies, or with all, clients choose their own address`);
  }
  const [, address = '', size] = /^([^/]*)(?:\/(.*))?$/.exec(text.replace(/^\[(.*)\]/, '$1')) ?? [];
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) throw new WrongValue(expected);
  if (size === undefined) return address;
  const bits = family === 4 && isIP(size) === 4 ? bitsOf(size) : /^\d{1,3}$/.test(size) ? Number(size) : null;
  if (bits === 0)
    throw new WrongValue(`${expected}: with a network of all addresses, clients choose their own address`);
  if (bits === null || bits > (family === 4 ? 32 : 128)) throw new WrongValue(expected);
  return `${address}/${bits}`;
}

/** How many ones a mask begins with; `null` when others follow its zeros. */
function bitsOf(mask: string): number | null {
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : null;
}
