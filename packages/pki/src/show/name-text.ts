/** A distinguished name as one line, from its DER: `O=Example, CN=alice` (RFC 5280 section 4.1.2.4). */
import { childrenOf, expectTag, oidOf, readDer, tags } from '@adit/shared/identity/der';

const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};
const bmpString = 0x1e;
const utf8String = 0x0c;

/** Throws DerError. Commas and equals signs inside a value are escaped, so that no value looks like two. */
export function nameText(der: Uint8Array): string {
  const parts = childrenOf(expectTag(readDer(der, 'name'), tags.sequence, 'name'), 'name').flatMap((set) =>
    childrenOf(set, 'name').map((pair) => {
      const [type, value] = childrenOf(pair, 'name');
      const id = oidOf(type, 'name');
      const text = value === undefined ? '' : textOf(value.tag, value.content);
      return `${shortNames[id] ?? id}=${text.replace(/[,=\\+]/g, '\\$&')}`;
    }),
  );
  return parts.length === 0 ? '(empty)' : parts.join(', ');
}

function textOf(tag: number, content: Uint8Array): string {
  const bytes = Buffer.from(content);
  if (tag === bmpString && bytes.length % 2 === 0) return bytes.swap16().toString('utf16le');
  return bytes.toString(tag === utf8String ? 'utf8' : 'latin1');
}
