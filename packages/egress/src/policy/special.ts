/**
 * Which addresses are special: loopback, private, link-local, metadata and the like, in every form.
 * Rule: a range names a special address only when it lies inside the special block: "127.0.0.0/8" names loopback,
 * "0.0.0.0/0" does not. IPv6 forms that carry an IPv4 address (NAT64, 6to4, Teredo, ISATAP, IPv4-compatible) are at
 * least as special as what they carry; v4-mapped ones are `unmapped` before they come here.
 * Spec: the IANA special-purpose registries (RFC 6890); for the clouds metadata-addresses.ts.
 */
import { type Cidr, cidrContains, parseCidr } from '@adit/shared/protocol/address';
import { metadataAddresses } from './metadata-addresses.ts';

/** In the order of the harm that a stranger who reaches it can do. */
export type AddressKind =
  | 'public'
  | 'private'
  | 'link-local'
  | 'multicast'
  | 'reserved'
  | 'unspecified'
  | 'loopback'
  | 'metadata';

/**
 * `minPrefix`: a range names the address when it holds it and its prefix is at least this long; 0 for public addresses.
 */
export interface Special {
  readonly kind: AddressKind;
  readonly minPrefix: number;
}

const everywhere: Special = { kind: 'public', minPrefix: 0 };

interface Block extends Special {
  readonly cidr: Cidr;
}

const block = (kind: AddressKind, text: string): Block => {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new TypeError(`${text}: ${parsed.reason}`);
  return { kind, cidr: parsed.value, minPrefix: parsed.value.prefix };
};

/** The first block that holds an address decides: single addresses stand before the ranges around them. */
const blocks: readonly Block[] = [
  ...metadataAddresses.map((address) => block('metadata', address)),
  block('loopback', '127.0.0.0/8'),
  block('loopback', '::1'),
  block('unspecified', '0.0.0.0/8'),
  block('unspecified', '::'),
  block('link-local', '169.254.0.0/16'),
  block('link-local', 'fe80::/10'),
  ...[
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '198.18.0.0/15',
    'fc00::/7',
    'fec0::/10',
    '64:ff9b:1::/48',
  ].map((text) => block('private', text)),
  block('multicast', '224.0.0.0/4'),
  block('multicast', 'ff00::/8'),
  ...['192.0.0.0/24', '240.0.0.0/4', '100::/64'].map((text) => block('reserved', text)),
];

const severity: Readonly<Record<AddressKind, number>> = {
  public: 0,
  private: 1,
  'link-local': 2,
  multicast: 2,
  reserved: 2,
  unspecified: 3,
  loopback: 3,
  metadata: 4,
};

/** Where an IPv6 form keeps its IPv4 address, in bits from the front. `inverted`: stored as its complement. */
interface Carrier {
  readonly cidr: Cidr;
  readonly at: number;
  readonly inverted?: true;
}
const carrier = (text: string, at: number): Carrier => ({ cidr: block('public', text).cidr, at });
const carriers: readonly Carrier[] = [
  // NAT64 (RFC 6052; RFC 8215, read as /96), IPv4-compatible (RFC 4291 section 2.5.5.1), SIIT (RFC 2765), 6to4 (RFC
  // 3056), Teredo (RFC 4380).
  carrier('64:ff9b::/96', 96),
  carrier('64:ff9b:1::/48', 96),
  carrier('::/96', 96),
  carrier('::ffff:0:0:0/96', 96),
  carrier('2002::/16', 16),
  { ...carrier('2001::/32', 96), inverted: true },
];

/**
 * The IPv4 address inside an IPv6 one, and at which bit it begins; undefined when it carries none. `::` and `::1` carry
 * none.
 */
export function embedded(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly at: number } | undefined {
  if (bytes.length !== 16 || (bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1)) return undefined;
  const found = carriers.find(({ cidr }) => cidrContains(cidr, bytes));
  if (found !== undefined) {
    const inside = bytes.slice(found.at / 8, found.at / 8 + 4);
    return { bytes: found.inverted === true ? inside.map((byte) => byte ^ 0xff) : inside, at: found.at };
  }
  // ISATAP (RFC 5214 section 6.1): interface identifier 0000:5efe or 0200:5efe, then the address.
  const isatap = (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
  return isatap ? { bytes: bytes.slice(12), at: 96 } : undefined;
}

/** What an unmapped address of 4 or 16 bytes is, and how narrow a range has to be to name it. */
export function classify(bytes: Uint8Array): Special {
  const own: Special = blocks.find(({ cidr }) => cidrContains(cidr, bytes)) ?? everywhere;
  const inside = embedded(bytes);
  if (inside === undefined) return own;
  const carried = classify(inside.bytes);
  if (carried.kind === 'public') return own;
  return {
    kind: severity[carried.kind] > severity[own.kind] ? carried.kind : own.kind,
    minPrefix: Math.max(own.minPrefix, inside.at + carried.minPrefix),
  };
}
