import { findFreePort } from '../../src/cli/services/port.ts';

/** Below what Linux gives away by itself (`ip_local_port_range` begins at 32768), to servers on port 0 and to connections. */
const FROM = 10_000;
const TO = 32_000;

/**
 * Finds a port for a program that must be told one and starts later. Nobody who lets the system choose is given it meanwhile, so that
 * another test can only have found the same one by chance.
 *
 * @param avoid ports that are promised to something else
 * @returns the port, of 127.0.0.1
 */
export function portForLater(avoid: readonly number[] = []): Promise<number> {
  return findFreePort('127.0.0.1', FROM + Math.floor(Math.random() * (TO - FROM)), avoid);
}
