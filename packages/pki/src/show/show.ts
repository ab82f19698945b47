/**
 * Explains a file of certificates, keys, requests or revocation lists: what each object is, and what is wrong with it.
 * Rule: never throws because of what a file contains; an object that cannot be read is explained as such. The answer
 * contains nothing secret.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { messageOf } from '@adit/shared/errors';
import { childrenOf, readDer, tags } from '@adit/shared/identity/der';
import { type PemBlock, pemBlocks } from '@adit/shared/identity/pem';
import { pem as pemOf } from '../asn1.ts';
import { isBundle } from '../bundle.ts';
import { explainCertificate } from './certificate.ts';
import type { Explanation } from './explanation.ts';
import { explainKey, explainPublicKey } from './key.ts';
import { explainRequest } from './request.ts';
import { explainRevocationList } from './revocation-list.ts';

export interface ExplainOptions {
  /** Permission bits of the file, on systems that have them. */
  readonly mode?: number | undefined;
  readonly now?: Date;
}

/** One explanation for each object, in order; at least one. PEM or DER. */
export function explain(bytes: Uint8Array, { mode, now = new Date() }: ExplainOptions = {}): Explanation[] {
  const blocks = bytes[0] === tags.sequence ? blockOfDer(bytes) : pemBlocks(Buffer.from(bytes).toString('latin1'));
  if (blocks === undefined)
    return [unreadable('PEM file', 'It is cut off or damaged: a block begins and does not end, or is not base64.')];
  if (blocks === 'PKCS#12')
    return [
      {
        title: 'PKCS#12 file',
        facts: [['content', 'needs its password: openssl pkcs12 -info -in FILE']],
        problems: [],
      },
    ];
  if (typeof blocks === 'string') return [unreadable('binary file', blocks)];
  const found = blocks.filter(({ label }) => label !== 'EC PARAMETERS');
  if (found.length === 0)
    return [
      unreadable('file', 'It holds nothing in PEM or DER form: no certificate, key, request or revocation list.'),
    ];
  return [...found.map((block) => explainBlock(block, mode, now)), ...strangers(found)];
}

function explainBlock(block: PemBlock, mode: number | undefined, now: Date): Explanation {
  const { label, der, pem } = block;
  try {
    switch (label) {
      case 'CERTIFICATE':
      case 'TRUSTED CERTIFICATE':
        return explainCertificate(der, now);
      case 'X509 CRL':
        return explainRevocationList(der, now);
      case 'CERTIFICATE REQUEST':
      case 'NEW CERTIFICATE REQUEST':
        return explainRequest(der, 'in it');
      case 'PUBLIC KEY':
        return explainPublicKey(pem);
      default:
        return label.endsWith('PRIVATE KEY')
          ? explainKey(pem, mode)
          : unreadable(label.toLowerCase(), 'It is none of what is explained here.');
    }
  } catch (error) {
    return unreadable(label.toLowerCase(), `It cannot be read: ${messageOf(error).replace(/\.$/, '')}.`);
  }
}

/** Finds a key beside a certificate of another key, which is a frequent mistake. */
function strangers(blocks: readonly PemBlock[]): Explanation[] {
  const certificate = parsed(
    blocks.find(({ label }) => label === 'CERTIFICATE'),
    ({ der }) => new X509Certificate(der),
  );
  const key = parsed(
    blocks.find(({ label }) => label.endsWith('PRIVATE KEY') && label !== 'ENCRYPTED PRIVATE KEY'),
    ({ pem }) => createPrivateKey(pem),
  );
  if (certificate === undefined || key === undefined || certificate.checkPrivateKey(key)) return [];
  return [unreadable('together', 'The key does not belong to the first certificate.')];
}

function parsed<T>(block: PemBlock | undefined, parse: (block: PemBlock) => T): T | undefined {
  // What does not parse has its own explanation.
  try {
    return block && parse(block);
  } catch {
    return undefined;
  }
}

/** The kind of a DER file, found by parsing it as each; or "PKCS#12", or a sentence that says why it is none. */
function blockOfDer(bytes: Uint8Array): PemBlock[] | string {
  const der = Buffer.from(bytes);
  const kinds: readonly (readonly [label: string, test: () => unknown])[] = [
    ['CERTIFICATE', () => new X509Certificate(der)],
    ['X509 CRL', () => explainRevocationList(der, new Date())],
    ['PRIVATE KEY', () => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })],
    ['PUBLIC KEY', () => createPublicKey({ key: der, format: 'der', type: 'spki' })],
  ];
  for (const [label, test] of kinds) {
    try {
      test();
    } catch {
      continue;
    }
    return [{ label, der, pem: pemOf(label, der) }];
  }
  if (isBundle(der)) return 'PKCS#12';
  try {
    childrenOf(readDer(der, 'file'), 'file');
  } catch (error) {
    return `It is cut off or damaged: ${messageOf(error)}.`;
  }
  return [{ label: 'CERTIFICATE REQUEST', der, pem: pemOf('CERTIFICATE REQUEST', der) }];
}

function unreadable(title: string, problem: string): Explanation {
  return { title, facts: [], problems: [problem] };
}
