/**
 * Our own certificate and key, checked before anything listens or dials.
 * Rule: the result can be used now, in the given role; otherwise one sentence says which file is wrong and why. A
 * private key that others may read is refused, as in ssh: only its owner may, or also a group if root owns the file
 * (PostgreSQL's rule).
 * Not here: whether the peer accepts it.
 */
import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { AditError, messageOf, type Code } from '../errors.ts';
import { modeTooOpen } from '../process/secret-mode.ts';
import { extendedKeyUsagesOf, readCertificate, uriNamesOf, usages } from './certificate.ts';
import { type PemBlock, pemBlocks, readNamedFile } from './pem.ts';

/** `role` is the use of the certificate; `server`: for local clients, which may trust any kind of certificate. */
export interface CredentialFiles {
  readonly cert: string;
  readonly key: string;
  readonly role: 'client' | 'egress' | 'server';
}

/** `certPem` is the leaf and its chain; `chain` excludes the leaf; `summary` is one line for a log. */
export interface Credentials {
  readonly certPem: string;
  readonly keyPem: string;
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
  readonly notAfter: Date;
  readonly summary: string;
}

/**
 * Reads and checks both files. `cert` holds the leaf, then any intermediates. Throws CREDENTIALS_UNUSABLE (exit 3).
 */
export function loadCredentials({ cert, key, role }: CredentialFiles): Credentials {
  const certificates = readCertificates(cert);
  const [leaf, ...chain] = certificates.map(({ der }, index) => parseCertificate(cert, der, index));
  const privateKey = readKey(key);
  if (!leaf!.checkPrivateKey(privateKey.key)) {
    const later = chain.some((ca) => ca.checkPrivateKey(privateKey.key));
    throw unusable(
      `The key ${key} does not belong to the certificate ` +
        `${cert}${later ? ', but to a later one in it: put that one first' : ''}.`,
    );
  }
  checkUse(cert, leaf!, role);
  checkDates(cert, leaf!, role);
  const certPem = certificates.map((block) => block.pem).join('');
  try {
    createSecureContext({ cert: certPem, key: privateKey.pem, minVersion: 'TLSv1.3' });
  } catch (error) {
    throw unusable(`TLS cannot use the certificate ${cert} with the key ${key}: ${messageOf(error)}.`, error);
  }
  return {
    certPem,
    keyPem: privateKey.pem,
    leaf: leaf!,
    chain,
    notAfter: leaf!.validToDate,
    summary: summaryOf(leaf!),
  };
}

function readCertificates(path: string): PemBlock[] {
  const blocks = pemBlocks(readNamedFile(path, 'the certificate', 'CREDENTIALS_UNUSABLE').toString('latin1'));
  if (blocks === undefined) throw unusable(`The certificate ${path} is cut off or damaged.`);
  const certificates = blocks.filter((block) => block.label === 'CERTIFICATE');
  if (certificates.length === 0)
    throw unusable(
      blocks[0] === undefined
        ? `The certificate ${path} is not in PEM form.`
        : `The certificate ${path} holds no certificate but a ${blocks[0].label.toLowerCase()}.`,
    );
  return certificates;
}

function parseCertificate(path: string, der: Uint8Array, index: number): X509Certificate {
  try {
    readCertificate(der);
    return new X509Certificate(der);
  } catch (error) {
    throw unusable(`Certificate ${index + 1} in ${path} does not parse: ${messageOf(error)}.`, error);
  }
}

function readKey(path: string): { key: KeyObject; pem: string } {
  const text = readSecretFile(path, 'key', 'CREDENTIALS_UNUSABLE').toString('latin1');
  const block = pemBlocks(text)?.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) throw unusable(`The key ${path} holds no private key in PEM form.`);
  if (block.label === 'ENCRYPTED PRIVATE KEY' || block.pem.includes('Proc-Type: 4,ENCRYPTED')) {
    throw unusable(
      `The key ${path} is encrypted: decrypt it ("openssl pkey -in FILE -out FILE.plain") and protect the ` +
        'result by its permissions.',
    );
  }
  try {
    return { key: createPrivateKey(block.pem), pem: block.pem };
  } catch (error) {
    throw unusable(`The key ${path} does not parse: ${messageOf(error)}.`, error);
  }
}

/**
 * Reads a file that only its owner may read; throws `code` if others may. `what` names it in complaints: "key".
 */
export function readSecretFile(path: string, what: string, code: Code): Buffer {
  const bytes = readNamedFile(path, `the ${what}`, code);
  const mode = modeTooOpen(path);
  if (mode !== undefined)
    throw new AditError(code, `The ${what} ${path} has mode ${mode}, so others may use it: run "chmod 600 ${path}".`);
  return bytes;
}

function checkUse(path: string, leaf: X509Certificate, role: CredentialFiles['role']): void {
  const [needed, whom] = role === 'client' ? [usages.clientAuth, 'clients'] : [usages.serverAuth, 'servers'];
  const given = extendedKeyUsagesOf(readCertificate(leaf.raw).extensions);
  if (role === 'server') {
    if (given?.includes(needed) === false)
      throw unusable(`The certificate ${path} is not for servers (its extended key usage lacks serverAuth).`);
    return;
  }
  if (leaf.ca) throw unusable(`The certificate ${path} is that of a CA: issue one with "adit ca issue ${role} NAME".`);
  if (given?.includes(needed) !== true)
    throw unusable(
      `The certificate ${path} is not for ${whom} (its extended key usage lacks ` +
        `${role === 'client' ? 'clientAuth' : 'serverAuth'}): issue one with "adit ca issue ${role} NAME".`,
    );
}

function checkDates(path: string, leaf: X509Certificate, role: CredentialFiles['role']): void {
  const now = new Date();
  if (leaf.validToDate < now)
    throw new AditError(
      'CREDENTIALS_UNUSABLE',
      `The certificate ${path} expired on ${leaf.validToDate.toISOString()}; it is now ${now.toISOString()}.`,
      { advice: renewal(leaf, role) },
    );
  if (leaf.validFromDate > now)
    throw unusable(
      `The certificate ${path} is not valid before ${leaf.validFromDate.toISOString()}; it is now ` +
        `${now.toISOString()}.`,
    );
}

/** The command that renews a certificate of `adit ca`; "NAME" where it is not one of those. */
function renewal(leaf: X509Certificate, role: CredentialFiles['role']): string {
  if (role === 'server') return 'Renew it, and write the new one to the same files.';
  const names = uriNamesOf(readCertificate(leaf.raw).extensions);
  const name = names.map((uri) => /^spiffe:\/\/[^/]+\/(?:client|egress)\/([\w.-]+)$/.exec(uri)?.[1]).find(Boolean);
  return `Renew it: adit ca issue ${role} ${name ?? 'NAME'} --renew.`;
}

function summaryOf(leaf: X509Certificate): string {
  const { serial, extensions } = readCertificate(leaf.raw);
  const name = uriNamesOf(extensions)[0] ?? leaf.subject;
  return `${name.replace(/[^\x20-\x7e]+/g, ', ')}, serial ${serial}, valid until ${leaf.validToDate.toISOString()}`;
}

function unusable(message: string, cause?: unknown): AditError {
  return new AditError('CREDENTIALS_UNUSABLE', message, { cause });
}
