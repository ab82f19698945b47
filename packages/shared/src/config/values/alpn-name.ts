/**
 * The name of an application protocol, as ALPN has it: `h2`, `http/1.1`.
 * Rule: 1 to 255 visible characters of ASCII. What a name means is up to the two ends that agree on it.
 * Spec: RFC 7301 section 6; the registry is IANA's "TLS ALPN Protocol IDs".
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export function parseAlpnName(text: string): Parsed<string> {
  return /^[!-~]{1,255}$/.test(text)
    ? parsed(text)
    : unparsed('not the name of a protocol: 1 to 255 visible characters, as in h2 or http/1.1');
}
