/** Targets in DER: revocation lists, and the reader under them. */
import fc from 'fast-check';
import { AditError } from '@adit/shared/errors';
import { childrenOf, type DerElement, DerError, readDer } from '@adit/shared/identity/der';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { newCa, newCrl } from '../support/issuer.ts';
import { bytes, damaged, mayThrow, type Target } from './input.ts';

const ca = newCa('Fuzz CA');
const anchors = parseTrustAnchors(ca.certPem, 'ca.crt');
const crl = newCrl(ca);

/** Random bytes, and a good list that is damaged. */
export const derTargets: readonly Target[] = [
  {
    name: 'revocation-list',
    share: 0.2,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(crl)), (der) =>
        mayThrow(AditError, () => {
          parseRevocationList(Buffer.from(der), anchors);
        }),
      ),
  },
  {
    name: 'der',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(crl)), (der) =>
        mayThrow(DerError, () => {
          walk(readDer(der, 'it'));
        }),
      ),
  },
];

/** Reads every element to the innermost. */
function walk(element: DerElement): void {
  if ((element.tag & 0x20) !== 0) for (const child of childrenOf(element, 'it')) walk(child);
}
