/**
 * NO_PROXY: which hosts are reached without the proxy that the environment names.
 * Rule: a pure function of the list and the host, as curl reads it. A name matches itself and all names below it, with
 * or without a leading dot or "*."; "*" alone matches everything; an address matches as an address, also by its range;
 * a port limits an entry to that port.
 * Not here: resolving. A name is compared as a name; the proxy resolves it.
 */
import { cidrContains, parseAddress, parseCidr, unmapped } from '../../protocol/address.ts';
import { parseHost, type HostPort } from '../../protocol/destination.ts';

/**
 * Is this host reached directly? Commas or blanks separate the entries of `list`; an entry that makes no sense matches
 * nothing.
 */
export function bypassesProxy({ host, port }: HostPort, list: string): boolean {
  const name = parseHost(host);
  const target = { host: name.ok ? name.value : host.toLowerCase(), port };
  return list.split(/[\s,]+/).some((entry) => entry !== '' && matches(target, entry));
}

function matches({ host, port }: HostPort, entry: string): boolean {
  if (entry === '*') return true;
  const { name, only } = parts(entry.toLowerCase());
  if (only !== undefined && only !== String(port)) return false;
  const address = parseAddress(host);
  if (address !== undefined) {
    const range = parseCidr(name.includes('/') ? masked(name) : name);
    return range.ok && cidrContains(range.value, unmapped(address));
  }
  const suffix = name.replace(/^\*?\./, '').replace(/\.$/, '');
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`));
}

/** "name", "name:port", "[v6]:port", "v6", "range/bits". */
function parts(entry: string): { readonly name: string; readonly only: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1]!, only: bracketed[2] };
  const named = /^([^:]*):(\d+)$/.exec(entry);
  return named ? { name: named[1]!, only: named[2] } : { name: entry, only: undefined };
}

/**
 * Reads 10.0.0.1/8 as 10.0.0.0/8, which is what people mean by it. A wrong guess costs a detour here, and no safety.
 */
function masked(range: string): string {
  const [text = '', bits = ''] = range.split('/');
  const bytes = parseAddress(text);
  const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (bytes === undefined || prefix < 0 || prefix > bytes.length * 8) return range;
  const network = bytes.map((value, at) => value & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * at))) & 0xff);
  const shown =
    network.length === 4
      ? network.join('.')
      : Array.from({ length: 8 }, (_, at) => ((network[2 * at]! << 8) | network[2 * at + 1]!).toString(16)).join(':');
  return `${shown}/${prefix}`;
}
