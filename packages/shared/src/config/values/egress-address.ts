/**
 * Where an egress is, as --egress takes it: HOST:PORT, wss://HOST[:PORT][/PATH] for a WebSocket, connect://HOST:PORT
 * and connect+h2://HOST:PORT for any proxy that supports CONNECT, or srv:NAME for the targets of the DNS SRV records of
 * that name (RFC 2782).
 * Rule: an SRV name is a whole name, `_service._tcp.domain`; the ingress looks it up again and again. A URL has no
 * user, query or fragment.
 */
import { formatHostPort, type HostPort } from '../../protocol/destination.ts';
import { parseDialAddress } from './host-port.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';
import { parseUrlPath } from './url-path.ts';

/** What can be dialled. A WebSocket without a path uses that of --ws-path. */
export type EgressTarget =
  | ({ readonly kind: 'address' } & HostPort)
  | ({ readonly kind: 'websocket'; readonly path?: string } & HostPort)
  | ConnectTarget;

/** A standard CONNECT proxy, over HTTP/1.1 or HTTP/2, with mutual TLS. */
export type ConnectTarget = { readonly kind: 'connect' | 'connect+h2' } & HostPort;

export type EgressAddress = EgressTarget | { readonly kind: 'srv'; readonly name: string };

const srv = /^_[a-z0-9-]{1,62}\._tcp(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;
const httpsPort = 443;

export function parseEgressAddress(text: string): Parsed<EgressAddress> {
  const scheme = /^([a-z0-9+]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'wss') return parseWebSocket(text.slice('wss://'.length));
  if (scheme === 'connect' || scheme === 'connect+h2')
    return parseConnect(scheme, text.slice(scheme.length + '://'.length));
  if (scheme !== undefined)
    return unparsed(
      `an egress is not at ${scheme}://: write HOST:PORT, wss://HOST for a WebSocket, or connect://HOST:PORT ` +
        'for a CONNECT proxy',
    );
  if (!text.startsWith('srv:')) {
    const address = parseDialAddress(text);
    return address.ok ? parsed({ kind: 'address', ...address.value }) : address;
  }
  const name = text.slice('srv:'.length).toLowerCase().replace(/\.$/, '');
  return srv.test(name) && name.length <= 253
    ? parsed({ kind: 'srv', name })
    : unparsed('not a SRV name: write srv:_adit._tcp.example.org');
}

/** As it is logged, and compared with others: "tunnel.example.org:8443", "wss://tunnel.example.org/adit". */
export function formatEgress(target: EgressTarget): string {
  const at = formatHostPort(target.host, target.port);
  if (target.kind === 'address') return at;
  if (target.kind !== 'websocket') return `${target.kind}://${at}`;
  return `wss://${target.port === httpsPort ? at.slice(0, -`:${httpsPort}`.length) : at}${target.path ?? ''}`;
}

function parseConnect(kind: ConnectTarget['kind'], text: string): Parsed<ConnectTarget> {
  if (text.includes('@'))
    return unparsed('a user and password do not belong in the URL: the certificate proves who you are');
  if (/[/?#]/.test(text)) return unparsed(`a CONNECT proxy has no path: write ${kind}://HOST:PORT`);
  const address = parseDialAddress(text);
  return address.ok ? parsed({ kind, ...address.value }) : address;
}

function parseWebSocket(text: string): Parsed<EgressTarget> {
  const slash = text.indexOf('/');
  const authority = slash < 0 ? text : text.slice(0, slash);
  if (authority.includes('@'))
    return unparsed('a user and password do not belong in the URL: the certificate proves who you are');
  if (/[?#]/.test(authority)) return unparsed('the URL of an egress has no query and no fragment');
  const address = parseDialAddress(/:\d+$/.test(authority) ? authority : `${authority}:${httpsPort}`);
  if (!address.ok) return address;
  const path = slash < 0 || slash === text.length - 1 ? undefined : parseUrlPath(text.slice(slash));
  if (path && !path.ok) return path;
  return parsed({ kind: 'websocket', ...address.value, ...(path && { path: path.value }) });
}
