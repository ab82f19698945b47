/**
 * The address of a local client, as the ingress claims it in OPEN.
 * Byte shape: FAMILY(1), then for 4 IP(4) PORT(2), for 6 IP(16) PORT(2), for 0 nothing: a client that has no address.
 * Rule: every address has one spelling. A v4-mapped IPv6 address is the IPv4 address that it stands for, so that a
 * client of a listener on `::` is the same client as on `0.0.0.0`. A family that is not known here is no claim.
 * Spec: docs/protocol.md section 3.5.
 */
import { formatAddress, parseAddress, unmapped } from './address.ts';
import { putU16, text, u16 } from './bytes.ts';
import { formatHostPort, type HostPort } from './destination.ts';
import { ProtocolFault, wireCode } from './refusal.ts';

/** An IP address and a port, or `local`: a Unix socket, or the standard input of `adit connect`. */
export type ClientAddress = HostPort | 'local';

const family = { local: 0, v4: 4, v6: 6 } as const;
/** Text begins with a visible character, which is no family. */
const firstOfText = 0x20;
const maxTextBytes = 128;

/**
 * The canonical address of what a kernel calls this host; undefined for anything but an IP address. A zone is dropped.
 */
export function clientAddress(host: string, port: number): HostPort | undefined {
  const bytes = parseAddress(host.split('%', 1)[0]!);
  return bytes && { host: formatAddress(unmapped(bytes)), port };
}

/** For logs: `127.0.0.1:51234`, `[::1]:51234` or `local`. */
export function formatClient(client: ClientAddress): string {
  return client === 'local' ? client : formatHostPort(client.host, client.port);
}

/** `host` is an IP address. */
export function encodeClient(client: ClientAddress): Uint8Array {
  if (client === 'local') return Uint8Array.of(family.local);
  const address = unmapped(parseAddress(client.host)!);
  const bytes = new Uint8Array(1 + address.length + 2);
  bytes[0] = address.length === 4 ? family.v4 : family.v6;
  bytes.set(address, 1);
  putU16(bytes, 1 + address.length, client.port);
  return bytes;
}

/** Undefined where nothing is claimed that is understood here. Throws ProtocolFault if the shape is wrong. */
export function decodeClient(bytes: Uint8Array): ClientAddress | undefined {
  const [kind = family.local] = bytes;
  if (kind >= firstOfText) return decodeText(bytes);
  const length = kind === family.v4 ? 4 : kind === family.v6 ? 16 : undefined;
  if (length === undefined) return kind === family.local && bytes.length === 1 ? 'local' : undefined;
  if (bytes.length !== 1 + length + 2)
    throw new ProtocolFault(wireCode.protocolError, `a client address of ${bytes.length} bytes`);
  return clientAddress(formatAddress(bytes.subarray(1, 1 + length)), u16(bytes, 1 + length));
}

/** What an ingress of version 0.1.0 writes: "127.0.0.1:51234", "::1:51234" without brackets, or "local". */
function decodeText(bytes: Uint8Array): ClientAddress | undefined {
  if (bytes.length > maxTextBytes) throw new ProtocolFault(wireCode.protocolError, 'a client address that is too long');
  const written = text(bytes);
  if (written === 'local') return written;
  const [, host, port] = /^\[?(.+?)\]?:([0-9]{1,5})$/.exec(written) ?? [];
  return host === undefined || Number(port) > 65_535 ? undefined : clientAddress(host, Number(port));
}
