/**
 * Revocation lists of our CA (X.509 CRL version 2).
 * Rule: a serial is written as a positive integer, whatever its first byte. The list number never decreases; the store
 * counts it.
 * Spec: RFC 5280 section 5.
 */
import { suggest } from '@adit/shared/config/suggest';
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';
import { enumerated, integer, pem, sequence, smallInteger, tagged, time } from './asn1.ts';
import { issuerKeyIdentifier, issuerName, type Authority } from './authority.ts';
import { authorityKey, crlNumber, extension, oids } from './extensions.ts';
import { serialBytes } from './serial.ts';
import { signatureAlgorithm, signed } from './signed.ts';
import { defaultDays, validity } from './validity.ts';

/**
 * Why a certificate is revoked, with the numbers of RFC 5280 section 5.3.1. Reasons that do not apply here are absent.
 */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof revocationReasons;

/** Reads a reason as a person writes it. Fails with USAGE. */
export function parseReason(text: string): RevocationReason {
  const names = Object.keys(revocationReasons) as RevocationReason[];
  const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');
  const found = names.find((name) => plain(name) === plain(text));
  if (found !== undefined) return found;
  const nearest = suggest(text, names);
  throw new AditError(
    'USAGE',
    `The reason "${safeText(text, { maxLength: 60 })}" is ` +
      `unknown${nearest === undefined ? '.' : `; did you mean ${nearest}?`} There are ${names.join(', ')}.`,
  );
}

export interface RevokedEntry {
  /** Hex. */
  readonly serial: string;
  readonly at: Date;
  readonly reason: RevocationReason;
}
export interface RevocationListOptions {
  readonly revoked: readonly RevokedEntry[];
  /** Greater than the number of every earlier list. */
  readonly number: number;
  /** Days until the next list is due; default 30. */
  readonly days?: number;
  readonly now?: Date;
}

/** Makes a list as PEM. Fails with USAGE (days). */
export function createRevocationList(
  authority: Authority,
  { revoked, number, days = defaultDays.revocationList, now = new Date() }: RevocationListOptions,
): string {
  const { notBefore: thisUpdate, notAfter: nextUpdate } = validity(days, now);
  // The reason "unspecified" is omitted (RFC 5280 section 5.3.1), and so is an empty list of entries (section 5.1.2.6).
  const entries = revoked.map(({ serial, at, reason }) =>
    sequence(
      integer(serialBytes(serial)),
      time(at),
      ...(reason === 'unspecified'
        ? []
        : [sequence(extension(oids.reasonCode, false, enumerated(revocationReasons[reason])))]),
    ),
  );
  const content = sequence(
    smallInteger(1),
    signatureAlgorithm(),
    issuerName(authority),
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    tagged(0, sequence(authorityKey(issuerKeyIdentifier(authority)), crlNumber(number))),
  );
  return pem('X509 CRL', signed(content, authority.key));
}
