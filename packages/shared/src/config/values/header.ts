/**
 * One HTTP header field, `Name: value`, as --header takes it.
 * Rule: a name is a token, and a value is visible ASCII with inner blanks (RFC 9110 section 5.5), so that nothing else
 * can be smuggled in. The fields of the WebSocket handshake itself are refused.
 * Not here: where a credential may stand (config/exposed.ts).
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

const taken = /^(host|connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;

/**
 * Names of fields that hold credentials: those of RFC 9110 and RFC 6265, and the words by which products name theirs
 * (CF-Access-Client-Secret, X-Api-Key, X-Goog-IAP-JWT-Assertion, X-Amz-Security-Token).
 */
const credentialNames = [
  /^(proxy-)?authorization$/i,
  /^cookie2?$/i,
  /(^|[-_])(auth|jwt|pass(word|wd|phrase)?|secret|token)([-_]|$)/i,
  /(api|access)[-_]?key/i,
];
/** Authentication schemes by which a value is a credential, whatever the name of its field. */
const credentialValue = /^(basic|bearer|digest|negotiate|ntlm) +\S/i;

/** Whether a text, right or wrong as a header, holds a credential. */
export function isCredential(text: string): boolean {
  const [, name, value] = /^\s*([^:\s]*)[:\s]*([^]*)$/.exec(text)!;
  return credentialNames.some((one) => one.test(name!)) || credentialValue.test(value!);
}

/** The text without its value, for complaints. */
export function nameOfHeader(text: string): string {
  return text.replace(/^([^:\s]*[:\s])[^]+$/, '$1 ***');
}

export function parseHeader(text: string): Parsed<HeaderField> {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*$/.exec(text) ?? [];
  if (name === undefined || value === undefined || value === '') return unparsed('not a header: write "Name: value"');
  return taken.test(name)
    ? unparsed(`the header ${name} belongs to the WebSocket handshake itself`)
    : parsed({ name, value });
}
