/**
 * Explains a certificate: whose it is, what it is for, until when, and why a peer would refuse it.
 * Not here: whether a given CA issued it; that needs the CA.
 */
import { X509Certificate } from 'node:crypto';
import {
  type CertificateFields,
  extendedKeyUsagesOf,
  readCertificate,
  signingUsesOf,
  uriNamesOf,
  usages,
} from '@adit/shared/identity/certificate';
import { childrenOf, oidOf, readDer, tags } from '@adit/shared/identity/der';
import { readClientNames } from '@adit/shared/identity/spiffe';
import { formatAddress } from '@adit/shared/protocol/address';
import { keyTypeText } from '../request.ts';
import { formatDate, type Explanation } from './explanation.ts';
import { keyFingerprint, keyProblems } from './key.ts';
import { nameText } from './name-text.ts';

interface Read {
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
  readonly uris: readonly string[];
  readonly usage: readonly string[] | undefined;
  readonly now: Date;
}

/** Throws DerError, or what X509Certificate throws, when it does not parse. */
export function explainCertificate(der: Uint8Array, now: Date): Explanation {
  const certificate = new X509Certificate(der);
  const fields = readCertificate(der);
  const read: Read = {
    certificate,
    fields,
    uris: uriNamesOf(fields.extensions),
    usage: extendedKeyUsagesOf(fields.extensions),
    now,
  };
  const role = isAuthority(fields) ? authorityRole(read) : leafRole(read);
  return {
    title: role.title,
    facts: [
      ['subject', nameText(fields.subject)],
      ['issuer', `${nameText(fields.issuer)}${certificate.checkIssued(certificate) ? ' (itself)' : ''}`],
      ...role.facts,
      ['serial', fields.serial],
      ['valid from', formatDate(certificate.validFromDate, now)],
      ['valid until', formatDate(certificate.validToDate, now)],
      ['key', keyTypeText(certificate.publicKey)],
      ['key SHA-256', keyFingerprint(certificate.publicKey)],
      ['SHA-256', certificate.fingerprint256.replaceAll(':', '').toLowerCase()],
    ],
    problems: [
      ...dateProblems(read),
      ...role.problems,
      ...keyProblems(certificate.publicKey),
      ...signatureProblems(der, certificate),
    ],
  };
}

/** Decides by the basic constraints alone; OpenSSL, and so `certificate.ca`, also requires the right key usage. */
function isAuthority({ extensions }: CertificateFields): boolean {
  const found = extensions.get('2.5.29.19');
  const [first] = found === undefined ? [] : childrenOf(readDer(found.value, 'basic constraints'), 'basic constraints');
  return first?.tag === tags.boolean && first.content[0] !== 0;
}

function authorityRole({ certificate, fields, uris }: Read): Explanation {
  const uses = signingUsesOf(fields.extensions);
  const domain = uris[0]?.startsWith('spiffe://') === true ? uris[0].slice('spiffe://'.length) : undefined;
  return {
    title: `certificate of a CA${domain === undefined ? '' : ` for the trust domain ${domain}`}`,
    facts: [
      [
        'may sign',
        [uses.certificates && 'certificates', uses.revocationLists && 'revocation lists']
          .filter((what) => what !== false)
          .join(' and ') || 'nothing',
      ],
    ],
    problems: [
      ...(uses.certificates ? [] : ['It is a CA, and its key usage lacks keyCertSign: nobody accepts what it issues.']),
      ...(uses.revocationLists ? [] : ['Its key usage lacks cRLSign: its revocation lists are refused.']),
      ...(certificate.checkIssued(certificate) && !certificate.verify(certificate.publicKey)
        ? ['It names itself as its issuer, and its signature does not verify: it is damaged or forged.']
        : []),
    ],
  };
}

function leafRole(read: Read): Explanation {
  const client = read.usage?.includes(usages.clientAuth) === true;
  const server = read.usage?.includes(usages.serverAuth) === true;
  if (client && server)
    return {
      ...clientRole(read),
      title: 'certificate for clients and servers',
      problems: [
        'It is for clients and for servers: whoever steals the server can act as a client. Issue one for each.',
      ],
    };
  if (client) return clientRole(read);
  if (server) return serverRole(read);
  return {
    title: 'certificate',
    facts: names(read),
    problems: [
      'It is for neither clients nor servers (its extended key usage names neither clientAuth nor serverAuth): ' +
        'neither an ingress nor an egress can use it.',
    ],
  };
}

function clientRole(read: Read): Explanation {
  const identity = readClientNames(read.uris);
  if (typeof identity === 'string')
    return {
      title: 'certificate of a client',
      facts: names(read),
      problems: [`An egress finds no identity in it: ${identity}.`],
    };
  return {
    title: `certificate of the client ${identity.name}`,
    facts: [
      ['identity', identity.uri],
      ['groups', identity.groups.join(', ') || 'none'],
    ],
    problems: [],
  };
}

function serverRole(read: Read): Explanation {
  const hosts = hostsOf(read.fields);
  const egress = read.uris
    .map((uri) => /^spiffe:\/\/[^/]+\/egress\/([^/]+)$/.exec(uri)?.[1])
    .find((name) => name !== undefined);
  return {
    title: egress === undefined ? 'certificate of a server' : `certificate of the egress ${egress}`,
    facts: names(read),
    problems:
      hosts.length === 0
        ? [
            'It names no host (no DNS name or IP address among its alternative names): no ingress accepts it ' +
              'for the address it dials.',
          ]
        : [],
  };
}

function names(read: Read): [string, string][] {
  return [
    ['hosts', hostsOf(read.fields).join(', ') || 'none'],
    ['URIs', read.uris.join(', ') || 'none'],
  ];
}

/** DNS names and IP addresses of the subject alternative name, from their octets. */
function hostsOf({ extensions }: CertificateFields): string[] {
  const found = extensions.get('2.5.29.17');
  if (found === undefined) return [];
  return childrenOf(readDer(found.value, 'alternative names'), 'alternative names').flatMap(({ tag, content }) => {
    if (tag === 0x82) return [Buffer.from(content).toString('latin1')];
    if (tag !== 0x87) return [];
    return [
      content.length === 4 || content.length === 16 ? formatAddress(content) : `an address of ${content.length} bytes`,
    ];
  });
}

function dateProblems({ certificate: { validFromDate, validToDate }, now }: Read): string[] {
  if (validToDate < validFromDate) return ['It ends before it begins: it is never valid.'];
  if (validToDate <= now) return [`It expired on ${validToDate.toISOString()}.`];
  return validFromDate > now
    ? [`It is not valid before ${validFromDate.toISOString()}: compare the clocks if it was just issued.`]
    : [];
}

/** Weak digests by OID. A root is exempt: nobody trusts it for its own signature. */
const weak: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
  '1.2.840.113549.1.1.2': 'MD2',
};

function signatureProblems(der: Uint8Array, certificate: X509Certificate): string[] {
  const algorithm = childrenOf(readDer(der, 'certificate'), 'certificate')[1];
  const digest =
    algorithm === undefined
      ? undefined
      : weak[oidOf(childrenOf(algorithm, 'signature algorithm')[0], 'signature algorithm')];
  return digest === undefined || certificate.checkIssued(certificate)
    ? []
    : [`It is signed with ${digest}, which can be forged: peers refuse it.`];
}
