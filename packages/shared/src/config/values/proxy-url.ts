/**
 * The URL of a proxy, as --proxy, --proxy-file and HTTPS_PROXY hold it: [SCHEME://][USER:PASSWORD@]HOST[:PORT].
 * Rule: no complaint shows anything before the "@", which may be a password. Schemes: http (the default, as in curl),
 * https, and socks5 or socks5h, which mean the same: the proxy always resolves names.
 * Spec: RFC 3986 section 3; percent-encoding in user and password is UTF-8.
 */
import { proxySchemes, type ProxyAddress } from '../../protocol/proxy-address.ts';
import { parseDialAddress } from './host-port.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

const defaultPorts = { http: 80, https: 443, socks5: 1080 } as const satisfies Record<ProxyAddress['scheme'], number>;
const maxCredentialBytes = 255;

export function parseProxyUrl(text: string): Parsed<ProxyAddress> {
  const [, word = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  const lower = word.toLowerCase();
  const scheme = proxySchemes.find((known) => known === (lower === 'socks5h' ? 'socks5' : lower));
  if (scheme === undefined)
    return unparsed(
      `${lower} is not the scheme of a proxy: write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT`,
    );
  const at = rest.lastIndexOf('@');
  const authority = rest.slice(at + 1).replace(/\/$/, '');
  if (/[/?#]/.test(authority))
    return unparsed(
      'the URL of a proxy ends after its port; in a user or password write "/" as %2F, "?" as %3F, "#" as %23',
    );
  const address = parseDialAddress(
    /:\d*$/.test(authority) && !/^\[[^\]]*$/.test(authority) ? authority : `${authority}:${defaultPorts[scheme]}`,
  );
  if (!address.ok) return address;
  const credentials = at < 0 ? undefined : parseCredentials(rest.slice(0, at), scheme);
  if (credentials && !credentials.ok) return credentials;
  return parsed({ scheme, ...address.value, ...(credentials && { credentials: credentials.value }) });
}

/** Whether a text names a user, as far as a text that may be wrong can say it. */
export function namesUser(text: string): boolean {
  return text.includes('@');
}

/** The text without user and password, for complaints. */
export function withoutPassword(text: string): string {
  return text.replace(/^((?:[a-z][a-z0-9+.-]*:\/\/)?).*@/is, '$1***@');
}

/** The text of --proxy-file: one line. */
export function parseProxyFile(text: string): Parsed<ProxyAddress> {
  const line = text.trim();
  return /[\r\n]/.test(line) ? unparsed('it holds more than one line') : parseProxyUrl(line);
}

/** --proxy: a URL, or `none` for no proxy, not even that of the environment. */
export function parseProxy(text: string): Parsed<ProxyAddress | 'none'> {
  return text.toLowerCase() === 'none' ? parsed('none') : parseProxyUrl(text);
}

function parseCredentials(
  text: string,
  scheme: ProxyAddress['scheme'],
): Parsed<NonNullable<ProxyAddress['credentials']>> {
  const colon = text.indexOf(':');
  const [user, password] = [colon < 0 ? text : text.slice(0, colon), colon < 0 ? '' : text.slice(colon + 1)].map(
    decoded,
  );
  if (user === undefined || password === undefined)
    return unparsed(
      'the user or password has a "%" that is not followed by two hexadecimal digits of UTF-8: write "%" as %25',
    );
  if (user === '') return unparsed('the user is missing before the "@"');
  if (/\p{Cc}/u.test(user + password)) return unparsed('the user or password has a control character');
  if (scheme !== 'socks5' && user.includes(':'))
    return unparsed('the user of an HTTP proxy cannot have a colon (RFC 7617)');
  const tooLong = [user, password].some((part) => new TextEncoder().encode(part).length > maxCredentialBytes);
  return tooLong
    ? unparsed(`the user or password is longer than ${maxCredentialBytes} bytes`)
    : parsed({ user, password });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
