/**
 * One HTTP header field, `Name: value`, as --header takes it.
 * Rule: a name is a token, and a value is visible ASCII with inner blanks (RFC 9110 section 5.5), so that nothing else
 * can be smuggled in. The fields of the WebSocket handshake itself are refused.
 */
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

const taken = /^(host|connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;

export function parseHeader(text: string): Parsed<HeaderField> {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*$/.exec(text) ?? [];
  if (name === undefined || value === undefined || value === '') return unparsed('not a header: write "Name: value"');
  return taken.test(name)
    ? unparsed(`the header ${name} belongs to the WebSocket handshake itself`)
    : parsed({ name, value });
}
