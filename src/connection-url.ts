import { readFileSync } from 'node:fs';
import { reasonOf } from './reason-of.ts';
import { WrongValue } from './wrong-value.ts';

/** A host as a URL names it. The port is `null` for the default. */
export interface UrlHost {
  /** A name or an address, without the brackets of IPv6; an absolute path for a socket; empty for the default. */
  readonly host: string;
  readonly port: number | null;
}

/** The parts of a store's URL, decoded. */
export interface ConnectionUrl {
  readonly scheme: string;
  /** `null` when there is none. */
  readonly user: string | null;
  readonly password: string | null;
  readonly hosts: readonly UrlHost[];
  /** Begins with the slash; empty when there is none. */
  readonly path: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const URL_FORM = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)(\/[^?]*)?(?:\?(.*))?$/is;

/**
 * Parses the URL of a store as libpq does. WHATWG's URLs have no list of hosts, and no per cent sign that stands for itself.
 *
 * @param text the URL, such as `postgres://user:secret@a:5432,b:5433/name?sslmode=require`
 * @param schemes the allowed schemes
 * @returns its parts
 * @throws {WrongValue} when it is malformed
 */
export function parseConnectionUrl(text: string, schemes: readonly string[]): ConnectionUrl {
  const [, scheme = '', authority = '', path = '', query = ''] = URL_FORM.exec(text.trim()) ?? [];
  if (!schemes.includes(scheme.toLowerCase())) {
    const names = schemes.map((name) => `${name}://`);
    throw new WrongValue(
      `expected a URL that starts with ${names.slice(0, -1).join(', ')}${names.length > 1 ? ' or ' : ''}${names.at(-1)}`,
    );
  }
  // The last @ counts, since the names of some hosts' users contain one.
  const at = authority.lastIndexOf('@');
  const account = at < 0 ? null : authority.slice(0, at);
  const colon = account?.indexOf(':') ?? -1;
  const user = account === null ? '' : decode(colon < 0 ? account : account.slice(0, colon));
  return {
    scheme: scheme.toLowerCase(),
    user: user === '' ? null : user,
    password: account === null || colon < 0 ? null : decode(account.slice(colon + 1)),
    hosts: authority
      .slice(at + 1)
      .split(',')
      .map(parseHost),
    path: decode(path),
    parameters: new Map(query.split('&').filter(Boolean).map(parseParameter)),
  };
}

/** `host`, `host:port` or `[address]:port`. */
function parseHost(text: string): UrlHost {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [];
  return { host: bracketed ?? decode(plain ?? ''), port: parsePort(port ?? '') };
}

/**
 * @param text a port; empty for the default
 * @returns its number; `null` for the default
 * @throws {WrongValue} when it is no port; the message does not quote it, since it may be a part of a password
 */
export function parsePort(text: string): number | null {
  if (text === '') return null;
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port <= 65_535) return port;
  throw new WrongValue(
    'a port is not a number from 1 to 65535 (an address of IPv6 stands in brackets; in a password, / is written %2F, ? is %3F and @ is %40)',
  );
}

/**
 * @param parameter the parameter that names the file
 * @param file its path
 * @returns its contents
 * @throws {WrongValue} when it cannot be read
 */
export function fileOf(parameter: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new WrongValue(`${parameter} cannot be read: ${reasonOf(error)}`);
  }
}

function parseParameter(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [decode(text), ''] : [decode(text.slice(0, equals)), decode(text.slice(equals + 1))];
}

/** Decodes escapes. A per cent sign without an escape stands for itself, since passwords are often pasted as they are. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch (error) {
      // Bytes that are not UTF-8 were not meant as escapes.
      if (error instanceof URIError) return escapes;
      throw error;
    }
  });
}
