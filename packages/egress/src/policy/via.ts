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
import { z } from 'zod';
import { textOf } from './text-of.ts';

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

export const viaKeys: readonly string[] = ['url', 'file', 'ca', 'cert', 'key', 'server-name', 'resolve'];

/** Does the hop resolve names, so that their addresses are unknown here? */
export function resolvesThere(via: Via | undefined): boolean {
  return via !== undefined && via.resolve !== 'here';
}

const no = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** The schema for a `via` that was read as `raw`. */
export function viaSchema(raw: unknown): z.ZodType<Via> {
  if (typeof raw !== 'object' || raw === null)
    return hop.transform((value, context): Via => provided(value, {}, context));
  return z
    .strictObject({
      url: hop.optional(),
      file: path.optional(),
      ca: path.optional(),
      cert: path.optional(),
      key: path.optional(),
      'server-name': serverName.optional(),
      resolve: z.enum(['here', 'there']).optional(),
    })
    .transform(({ url, file, resolve, 'server-name': name, ...files }, context): Via => {
      const fault = (message: string): never => {
        context.issues.push({ code: 'custom', message, input: raw });
        return z.NEVER;
      };
      if (url === undefined && file === undefined) return fault('names neither "url" nor "file"');
      if (url !== undefined && file !== undefined) return fault('names both "url" and "file": the file holds the URL');
      const paths: ViaFiles = {
        ...(files.ca && { ca: files.ca.value }),
        ...(files.cert && { cert: files.cert.value }),
        ...(files.key && { key: files.key.value }),
        ...(name && { serverName: name.value }),
      };
      if ((paths.cert === undefined) !== (paths.key === undefined))
        return fault('needs both "cert" and "key", or neither');
      const here = resolve === 'here' ? { resolve } : {};
      if (file !== undefined)
        return paths.serverName === undefined
          ? { kind: 'file', name: `the proxy of ${file.value}`, file: file.value, ...paths, ...here }
          : fault('"server-name" is for connect:// only');
      return { ...provided(url!, paths, context), ...here };
    });
}

/** The hop with its files, if it has all that its kind needs and nothing that its kind does not use. */
function provided(
  value: Hop,
  paths: ViaFiles,
  context: {
    readonly issues: {
      push(issue: { readonly code: 'custom'; readonly message: string; readonly input: unknown }): void;
    };
  },
): Via {
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
  if (message === undefined) return { ...value, ...paths };
  context.issues.push({ code: 'custom', message, input: value.name });
  return z.NEVER;
}

/** A URL, whose complaints show no password. */
const hop = z.string().transform((text, context): Hop => {
  const parsed = parseVia(text);
  if (parsed.ok) return parsed.value;
  context.issues.push({
    code: 'custom',
    message: `${JSON.stringify(withoutPassword(text))}: ${parsed.reason}`,
    input: '',
  });
  return z.NEVER;
});

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

const path = textOf((text): Parsed<string> =>
  text === '' || text.includes('\0') ? no('name a file') : { ok: true, value: text },
);
const serverName = textOf(parseHost);
