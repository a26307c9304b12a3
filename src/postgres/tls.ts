import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, type SecureVersion } from 'node:tls';
import { fileOf } from '../connection-url.ts';
import { WrongValue } from '../wrong-value.ts';
import { isOn, oneOf } from './parameters.ts';

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies readonly SecureVersion[];

/** How connections to a Postgres are encrypted. */
export interface PostgresTls {
  /** Whether to connect without TLS: `disable` always does, `prefer` does when the server has no TLS, `require` never does. */
  readonly mode: 'disable' | 'prefer' | 'require';
  /** Whether to begin with TLS at once, instead of asking first. */
  readonly direct: boolean;
  /**
   * Reads the files again, so that certificates may be replaced while the process runs.
   *
   * @param host the name or the address in the URL, which the certificate must have where that is checked
   * @returns the options of Node's TLS
   * @throws {WrongValue} naming a file that cannot be read
   */
  options(host: string): ConnectionOptions;
}

/**
 * @param given the parameters of a Postgres URL
 * @param env the environment, with libpq's defaults
 * @returns how to encrypt; every file has been read once
 * @throws {WrongValue} naming a parameter or a file that is wrong
 */
export function tlsOf(given: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): PostgresTls {
  const rootCert = given.sslrootcert ?? env.PGSSLROOTCERT;
  const mode = modeOf(given, env, rootCert);
  const { sslcert: cert = env.PGSSLCERT, sslkey: key = env.PGSSLKEY, sslcrl, sslpassword } = given;
  if ((cert === undefined) !== (key === undefined)) throw new WrongValue('sslcert and sslkey belong together');
  const minVersion = oneOf('ssl_min_protocol_version', given.ssl_min_protocol_version, VERSIONS);
  const maxVersion = oneOf('ssl_max_protocol_version', given.ssl_max_protocol_version, VERSIONS);
  const direct = oneOf('sslnegotiation', given.sslnegotiation, ['postgres', 'direct']) === 'direct';
  if (direct && (mode === 'disable' || mode === 'allow' || mode === 'prefer')) {
    throw new WrongValue('sslnegotiation=direct needs sslmode=require or a stricter one');
  }
  const named = isOn('sslsni', given.sslsni, true);
  const options = (host: string): ConnectionOptions => ({
    // `system` means the authorities that Node trusts.
    ...(rootCert === undefined || rootCert === 'system' ? {} : { ca: fileOf('sslrootcert', rootCert) }),
    ...(cert === undefined || key === undefined ? {} : { cert: fileOf('sslcert', cert), key: fileOf('sslkey', key) }),
    ...(sslpassword === undefined ? {} : { passphrase: sslpassword }),
    ...(sslcrl === undefined ? {} : { crl: fileOf('sslcrl', sslcrl) }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(named && isIP(host) === 0 ? { servername: host } : {}),
    ...(direct ? { ALPNProtocols: ['postgresql'] } : {}),
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    // Node would check the name that it sends. For an address it sends none, and would check `localhost`.
    checkServerIdentity: (_name, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
  });
  if (mode !== 'disable') options('localhost');
  return {
    mode: mode === 'disable' ? mode : mode === 'allow' || mode === 'prefer' ? 'prefer' : 'require',
    direct,
    options,
  };
}

function modeOf(given: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv, rootCert: string | undefined) {
  // `ssl` and `no-verify` come from JDBC and node-postgres.
  const said =
    given.sslmode ?? (given.ssl === undefined ? env.PGSSLMODE : isOn('ssl', given.ssl, true) ? 'require' : 'disable');
  const mode = said === 'no-verify' ? 'require' : (oneOf('sslmode', said, MODES) ?? 'prefer');
  if (rootCert === 'system' && mode !== 'verify-full') {
    if (said === undefined) return 'verify-full';
    throw new WrongValue('sslrootcert=system needs sslmode=verify-full');
  }
  // In libpq, a given root certificate is checked.
  return mode === 'require' && rootCert !== undefined && said !== 'no-verify' ? 'verify-ca' : mode;
}
