import { WrongValue } from '../../wrong-value.ts';

/** Schemes whose pages have no origin: they send `null`, or nothing. */
const WITHOUT_ORIGIN = ['file:', 'ws:', 'wss:', 'ftp:'];

/**
 * Brings an origin into the form in which browsers send it (HTML standard, serialization of an origin). Its name is in lower case and in
 * Punycode. It has no default port and no slash.
 *
 * @param text an origin as it was configured, such as `https://App.example.com:443/`
 * @returns the origin as browsers send it, such as `https://app.example.com`
 * @throws {WrongValue} when no browser could ever send it, or everybody could
 */
export function parseCorsOrigin(text: string): string {
  if (text === '*') {
    throw new WrongValue(
      'with * pages of any site could read answers: name each origin that may, such as https://app.example.com',
    );
  }
  if (text === 'null') {
    throw new WrongValue('every page without an origin sends null: name origins such as https://app.example.com');
  }
  const expected = `${JSON.stringify(text)} is not an origin such as https://app.example.com or http://localhost:3000`;
  if (text.includes('*')) throw new WrongValue(`${expected}; a wildcard matches nothing, so name each origin`);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw new WrongValue(`${expected}: it begins with a scheme`);
  if (!URL.canParse(text)) throw new WrongValue(expected);
  const url = new URL(text);
  if (WITHOUT_ORIGIN.includes(url.protocol) || url.host === '') throw new WrongValue(expected);
  // Origins of apps, such as capacitor://localhost, are opaque to URL.
  const origin = url.origin === 'null' ? `${url.protocol}//${url.host.toLowerCase()}` : url.origin;
  if (url.href !== origin && url.href !== `${origin}/` && url.href.toLowerCase() !== origin) {
    throw new WrongValue(`${expected}: it ends with the host and the port`);
  }
  return origin;
}
