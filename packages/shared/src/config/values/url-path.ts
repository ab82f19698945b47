/**
 * The path of a URL, as --ws-path takes it.
 * Rule: an absolute path in the characters of RFC 3986 section 3.3, without query and fragment, so that both ends
 * compare the same text.
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

/** The default path of the WebSocket of an egress (RFC 8615). */
export const defaultWsPath = '/.well-known/adit';

export function parseUrlPath(text: string): Parsed<string> {
  if (!text.startsWith('/')) return unparsed('a path begins with "/", as in /.well-known/adit');
  if (/[?#]/.test(text)) return unparsed('a path has no query and no fragment');
  return /^(\/(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+$/.test(text) && text.length <= 1024
    ? parsed(text)
    : unparsed('not the path of a URL: write other characters than letters, digits and -._~ as %XX');
}
