/**
 * The schema of `via` in a policy: the next hop, a proxy or another egress, to ask for a destination instead of
 * dialling.
 *   via: http://proxy.example:3128          also https:// and socks5://
 *   via: { file: proxy.url }                the URL in a file of mode 0600, with a user and password
 *   via: { url: connect://egress2.example:8443, ca: ca.pem, cert: client.pem, key: client.key }
 * With `resolve: here` the egress resolves names, as `socks5` without the h of `socks5h` does elsewhere.
 * Rule: a policy holds no password, and no complaint shows one.
 * Not here: whether the files that it names can be used (backend/next-hop.ts).
 */
import { type ConnectTarget, formatEgress, parseEgressAddress } from '@adit/shared/config/values/egress-address';
import { parseProxyUrl, withoutPassword } from '@adit/shared/config/values/proxy-url';
import type { Parsed } from '@adit/shared/protocol/address';
import { parseHost } from '@adit/shared/protocol/destination';
import { formatProxy, type ProxyAddress } from '@adit/shared/protocol/proxy-address';
import { map, oneOf, type Place, type Shape, text, textOf, refine } from './shape.ts';

/** Paths as the policy has them. */
export interface ViaFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

/** `name` is its name in logs. Each `via` in the policy gives one object. */
export type Via = ViaFiles & {
  readonly name: string;
  /** The egress resolves and judges names, and asks the hop for an address. */
  readonly resolve?: 'here';
} & (
    | { readonly kind: 'proxy'; readonly proxy: ProxyAddress }
    | { readonly kind: 'file'; readonly file: string }
    | { readonly kind: 'connect'; readonly target: ConnectTarget }
  );

type Hop = { readonly name: string } & (
  | { readonly kind: 'proxy'; readonly proxy: ProxyAddress }
  | { readonly kind: 'connect'; readonly target: ConnectTarget }
);

/** Does the hop resolve names, so that their addresses are unknown here? */
export function resolvesThere(via: Via | undefined): boolean {
  return via !== undefined && via.resolve !== 'here';
}

const no = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** A `via`: a URL, or a map. */
export const via: Shape<Via> = (value, at) =>
  typeof value === 'object' && value !== null ? viaMap(value, at) : plainVia(value, at);

/** A URL, whose complaints show no password. */
const hop = refine(text, (written, at) => {
  const parsed = parseVia(written);
  if (parsed.ok) return parsed.value;
  return at.fault(`${JSON.stringify(withoutPassword(written))}: ${parsed.reason}`);
});

const path = textOf((written): Parsed<string> =>
  written === '' || written.includes('\0') ? no('name a file') : { ok: true, value: written },
);
const serverName = textOf(parseHost);

const plainVia = refine(hop, (value, at): Via | undefined => provided(value, {}, at));

const viaMap = refine(
  map(
    {},
    {
      url: hop,
      file: path,
      ca: path,
      cert: path,
      key: path,
      'server-name': serverName,
      resolve: oneOf('here', 'there'),
    },
  ),
  ({ url, file, resolve, 'server-name': name, ...files }, at): Via | undefined => {
    if (url === undefined && file === undefined) return at.fault('names neither "url" nor "file"');
    if (url !== undefined && file !== undefined) return at.fault('names both "url" and "file": the file holds the URL');
    const paths: ViaFiles = {
      ...(files.ca && { ca: files.ca.value }),
      ...(files.cert && { cert: files.cert.value }),
      ...(files.key && { key: files.key.value }),
      ...(name && { serverName: name.value }),
    };
    if ((paths.cert === undefined) !== (paths.key === undefined))
      return at.fault('needs both "cert" and "key", or neither');
    const here = resolve === 'here' ? { resolve } : {};
    if (file !== undefined)
      return paths.serverName === undefined
        ? { kind: 'file', name: `the proxy of ${file.value}`, file: file.value, ...paths, ...here }
        : at.fault('"server-name" is for connect:// only');
    const whole = provided(url!, paths, at);
    return whole && { ...whole, ...here };
  },
);

/** The hop with its files, if it has all that its kind needs and nothing that its kind does not use. */
function provided(value: Hop, paths: ViaFiles, at: Place): Via | undefined {
  const message =
    value.kind === 'connect'
      ? paths.ca === undefined || paths.cert === undefined
        ? 'needs "ca", "cert" and "key" for connect://: both ends prove who they are'
        : undefined
      : paths.serverName !== undefined
        ? '"server-name" is for connect:// only'
        : value.proxy.scheme !== 'https' && (paths.ca ?? paths.cert) !== undefined
          ? `"ca", "cert" and "key" are for TLS, and ${value.proxy.scheme}:// has none`
          : undefined;
  return message === undefined ? { ...value, ...paths } : at.fault(message);
}

function parseVia(text: string): Parsed<Hop> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined)
    return no(
      'write http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT, or connect://HOST:PORT for another egress',
    );
  if (scheme === 'connect' || scheme === 'connect+h2') {
    const target = parseEgressAddress(text);
    if (!target.ok) return target;
    return target.value.kind === 'connect'
      ? { ok: true, value: { kind: 'connect', name: formatEgress(target.value), target: target.value } }
      : no('a next hop is not asked over HTTP/2: write connect://HOST:PORT');
  }
  const proxy = parseProxyUrl(text);
  if (!proxy.ok) return proxy;
  if (proxy.value.credentials)
    return no(
      'a policy may not hold a user and password: put the whole URL into a file of mode 0600, and write via: ' +
        '{ file: FILE }',
    );
  return { ok: true, value: { kind: 'proxy', name: formatProxy(proxy.value), proxy: proxy.value } };
}
