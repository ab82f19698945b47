/**
 * The files that the options of an ingress name, in parts that are loaded, watched and reported one by one.
 * Rule: the start, a reload and `--check` read them in the same way; a part that is not usable hinders no other part at
 * a reload. A complaint names the options that the file belongs to.
 * Not here: when to read them again (agent.ts).
 */
import { about } from '@adit/shared/errors';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { refuseStale, type ShownCertificate } from '@adit/shared/identity/expiry';
import { loadRevocationList } from '@adit/shared/identity/revocation';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { checkCongestion } from '@adit/shared/net/tcp-control';
import { loadLocalPairs, localCertificates, type LocalCertificates } from './frontend/local-certificates.ts';
import { readHeaderFile } from './link/header-file.ts';
import type { Trust } from './link/dialer.ts';
import { loadProxyUsers, type ProxyUsers } from './listeners.ts';
import type { IngressOptions } from './options.ts';
import { loadProxies, proxyFiles } from './proxy/proxies.ts';
import { neededOptions } from './transparent/listeners.ts';

/** What is in the files. */
export interface IngressFiles extends Trust {
  readonly proxyUsers: ProxyUsers;
  readonly localCertificates: LocalCertificates;
  /** The certificates of --tls-cert. */
  readonly shown: readonly ShownCertificate[];
}

export interface FilePart {
  /** For the log. */
  readonly what: 'certificates' | 'proxy' | 'headers' | 'users' | 'local certificates';
  readonly files: (options: IngressOptions) => string[];
  /** Fails with CONFIG_INVALID or CREDENTIALS_UNUSABLE. */
  readonly load: (options: IngressOptions) => Partial<IngressFiles>;
}

const certificates = {
  what: 'certificates',
  files: ({ cert, key, ca, crl, outerCa }) => given([cert, key, ca, crl, outerCa]),
  load: (options) => {
    const ca = loadTrustAnchors(options.ca);
    return {
      credentials: loadCredentials({ cert: options.cert, key: options.key, role: 'client' }),
      ca,
      revocation: options.crl === undefined ? undefined : loadRevocationList(options.crl, ca),
      outerCa: options.outerCa === undefined ? undefined : loadTrustAnchors(options.outerCa),
    };
  },
} as const satisfies FilePart;

const proxy = {
  what: 'proxy',
  files: proxyFiles,
  load: (options) => ({
    proxyFor: about({ advice: 'Check --proxy-file, --proxy-ca, --proxy-cert and --proxy-key.' }, () =>
      loadProxies(options),
    ),
  }),
} as const satisfies FilePart;

const headers = {
  what: 'headers',
  files: ({ headerFile }) => given([headerFile]),
  load: ({ headerFile }) => ({ headers: headerFile === undefined ? [] : readHeaderFile(headerFile) }),
} as const satisfies FilePart;

const users = {
  what: 'users',
  files: ({ socksAuthFile, httpProxyAuthFile }) => given([socksAuthFile, httpProxyAuthFile]),
  load: (options) => ({ proxyUsers: loadProxyUsers(options) }),
} as const satisfies FilePart;

const local = {
  what: 'local certificates',
  files: ({ tlsCerts, tlsKeys }) => [...tlsCerts, ...tlsKeys],
  load: ({ tlsCerts, tlsKeys }) => {
    const pairs = about({ advice: 'Check --tls-cert and --tls-key with "adit ca show FILE".' }, () =>
      loadLocalPairs(tlsCerts, tlsKeys),
    );
    return {
      localCertificates: localCertificates(pairs),
      shown: pairs.map(({ leaf }, at) => ({ what: `certificate of --tls-cert ${tlsCerts[at]}`, leaf })),
    };
  },
} as const satisfies FilePart;

const parts: readonly FilePart[] = [certificates, proxy, headers, users, local];

/** The parts for which the options name a file. */
export function namedParts(options: IngressOptions): FilePart[] {
  return parts.filter(({ files }) => files(options).length > 0);
}

/** Reads everything. Fails with CONFIG_INVALID, CREDENTIALS_UNUSABLE or TRANSPARENT_UNAVAILABLE. */
export function loadIngressFiles(options: IngressOptions): IngressFiles {
  if (options.transparent.length > 0) neededOptions();
  checkCongestion(options.congestion);
  return {
    ...certificates.load(options),
    ...proxy.load(options),
    ...headers.load(options),
    ...users.load(options),
    ...local.load(options),
  };
}

/** The same for `--check`, which also refuses a revocation list that is out of date (REVOCATION_STALE). */
export function checkIngressFiles(options: IngressOptions): void {
  const { revocation } = loadIngressFiles(options);
  refuseStale(revocation, options.crl);
}

function given(files: readonly (string | undefined)[]): string[] {
  return files.filter((file) => file !== undefined);
}
