/**
 * Name constraints: the DNS names and URI hosts that a CA may put into certificates.
 * Rule: a certificate that every verifier would refuse is not signed. The DNS constraint `example.org` covers that name
 * and all names below it. A URI constraint is one host, or `.example.org` for all hosts below (RFC 5280 section
 * 4.2.1.10).
 * Not here: IP constraints, because peers built on BoringSSL refuse them.
 */
import { AditError } from '@adit/shared/errors';
import type { CertificateFields } from '@adit/shared/identity/certificate';
import { childrenOf, context, readDer } from '@adit/shared/identity/der';
import { safeText } from '@adit/shared/observe/safe-text';
import { parseHost } from '@adit/shared/protocol/destination';
import { oids, type Constraints } from './extensions.ts';
import type { Subject } from './names.ts';

export const noConstraints: Constraints = { dns: [], uri: [] };

/**
 * Checks constraints as a person writes them. The URI hosts must cover the trust domain. Fails with NAME_INVALID.
 */
export function checkConstraints(dns: readonly string[], uri: readonly string[], trustDomain: string): Constraints {
  const constraints = {
    dns: [...new Set(dns.map((name) => checkBase(name, '--permit-dns')))],
    uri: [...new Set(uri.map((host) => checkBase(host, '--permit-uri')))],
  };
  if (constraints.uri.length > 0 && !constraints.uri.some((base) => uriWithin(trustDomain, base))) {
    throw new AditError(
      'NAME_INVALID',
      `The trust domain ${trustDomain} is not covered by --permit-uri ${constraints.uri.join(', ')}: no ` +
        'certificate of this CA would verify.',
    );
  }
  return constraints;
}

/** Fails with NAME_INVALID when a verifier that checks constraints would refuse a certificate of this subject. */
export function checkPermitted({ dns }: Constraints, subject: Subject): void {
  if (dns.length === 0) return;
  const names =
    subject.kind === 'egress' ? subject.hosts.filter((host) => host.kind === 'dns').map((host) => host.text) : [];
  // OpenSSL treats a common name with a dot as a host name if the certificate has no DNS name.
  const judged = names.length === 0 && subject.name.includes('.') ? [subject.name] : names;
  const outside = judged.find((name) => !dns.some((base) => dnsWithin(name.toLowerCase(), base)));
  if (outside !== undefined)
    throw new AditError(
      'NAME_INVALID',
      `The name ${outside} is outside of what this CA may sign (DNS: ${dns.join(', ')}): no peer would accept ` +
        'the certificate.',
    );
}

/** Reads the constraints of a CA certificate. Throws DerError. */
export function readConstraints(extensions: CertificateFields['extensions']): Constraints {
  const found = extensions.get(oids.nameConstraints);
  if (found === undefined) return noConstraints;
  const bases = childrenOf(readDer(found.value, 'name constraints'), 'name constraints')
    .filter((part) => part.tag === context(0, true))
    .flatMap((permitted) =>
      childrenOf(permitted, 'permitted names').flatMap((subtree) => childrenOf(subtree, 'permitted name').slice(0, 1)),
    );
  const of = (n: number): string[] =>
    bases.filter((base) => base.tag === context(n, false)).map((base) => Buffer.from(base.content).toString('latin1'));
  return { dns: of(2), uri: of(6) };
}

function dnsWithin(name: string, base: string): boolean {
  return name === base || name.endsWith(`.${base.replace(/^\./, '')}`);
}
function uriWithin(host: string, base: string): boolean {
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

function checkBase(text: string, flag: string): string {
  const below = text.startsWith('.');
  const host = parseHost(below ? text.slice(1) : text);
  if (!host.ok || /[:]|^[0-9.]+$/.test(host.value))
    throw new AditError(
      'NAME_INVALID',
      `${flag} "${safeText(text, { maxLength: 100 })}" is not a domain: ` +
        `${host.ok ? 'addresses are not constrained' : host.reason}.`,
    );
  return below ? `.${host.value}` : host.value;
}
