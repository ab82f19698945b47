/**
 * The names inside a client certificate: `spiffe://TRUST-DOMAIN/client/NAME` once, `spiffe://TRUST-DOMAIN/group/GROUP`
 * any number of times.
 * Rule: exactly one client, all groups in its trust domain, only ASCII of the SPIFFE grammar. A certificate with any
 * other SPIFFE URI names nobody. Other URIs are ignored if they are printable ASCII.
 * Spec: SPIFFE-ID section 2. Other products matched the wrong peer because a wildcard or a NUL survived in a name.
 */

export interface ClientNames {
  readonly uri: string;
  readonly trustDomain: string;
  readonly name: string;
  readonly groups: readonly string[];
}

const pattern = /^spiffe:\/\/([a-z0-9._-]{1,255})\/(client|group)\/([A-Za-z0-9._-]{1,255})$/;

/** The names in a certificate's URIs, or the reason why there are none. */
export function readClientNames(uris: readonly string[]): ClientNames | string {
  let client: ClientNames | undefined;
  const groups = new Map<string, string>();
  for (const uri of uris) {
    if (/[^\x21-\x7e]/.test(uri)) return 'a URI in it has control or non-ASCII characters';
    if (!/^spiffe:/i.test(uri)) continue;
    const [, trustDomain, kind, name] = pattern.exec(uri) ?? [];
    if (trustDomain === undefined || name === undefined || name === '.' || name === '..')
      return `its URI ${uri.slice(0, 300)} is neither a client nor a group`;
    if (kind === 'group') groups.set(uri, name);
    else if (client !== undefined) return 'it names more than one client';
    else client = { uri, trustDomain, name, groups: [] };
  }
  if (client === undefined) return 'it has no URI spiffe://TRUST-DOMAIN/client/NAME';
  const prefix = `spiffe://${client.trustDomain}/group/`;
  if ([...groups.keys()].some((uri) => !uri.startsWith(prefix))) return 'it names a group of another trust domain';
  return { ...client, groups: [...groups.values()] };
}
