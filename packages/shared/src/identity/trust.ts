/**
 * Trust anchors: the roots that we trust, from a PEM file (--client-ca at the egress, --ca at the ingress).
 * Rule: every certificate in the file is a CA that may sign certificates. A file without one, or with anything else, is
 * refused.
 */
import { X509Certificate } from 'node:crypto';
import { AditError, messageOf } from '../errors.ts';
import { readCertificate, signingUsesOf } from './certificate.ts';
import { pemBlocks, readNamedFile } from './pem.ts';

export interface TrustAnchors {
  readonly pem: readonly string[];
  readonly certificates: readonly X509Certificate[];
}

/** Reads and checks the file. Throws CONFIG_INVALID. */
export function loadTrustAnchors(path: string): TrustAnchors {
  return parseTrustAnchors(readNamedFile(path, 'the CA file', 'CONFIG_INVALID').toString('latin1'), path);
}

/** The same for text already read; `source` names it in complaints. Throws CONFIG_INVALID. */
export function parseTrustAnchors(text: string, source: string): TrustAnchors {
  const refuse = (why: string, cause?: unknown): never => {
    throw new AditError('CONFIG_INVALID', `The CA file ${source} is unusable: ${why}.`, { cause });
  };
  const blocks = pemBlocks(text) ?? refuse('it is cut off or damaged');
  if (blocks.length === 0) refuse('it holds no certificate in PEM form');
  const certificates = blocks.map(({ label, der }, index) => {
    if (label !== 'CERTIFICATE') refuse(`it holds a ${label.toLowerCase()}, and only CA certificates belong there`);
    let certificate: X509Certificate;
    let maySign: boolean;
    try {
      certificate = new X509Certificate(der);
      maySign = certificate.ca && signingUsesOf(readCertificate(der).extensions).certificates;
    } catch (error) {
      return refuse(`certificate ${index + 1} does not parse (${messageOf(error)})`, error);
    }
    if (!maySign) refuse(`certificate ${index + 1} (${oneLine(certificate.subject)}) is not a CA`);
    return certificate;
  });
  const now = Date.now();
  if (certificates.every((ca) => ca.validToDate.getTime() < now))
    refuse(`it expired on ${certificates[0]!.validToDate.toISOString()}`);
  return { pem: blocks.map((block) => block.pem), certificates };
}

function oneLine(subject: string): string {
  return subject.replace(/[^\x20-\x7e]+/g, ', ');
}
