/** Explains a certificate request. */
import { keyTypeText, readRequest } from '../request.ts';
import type { Explanation } from './explanation.ts';
import { keyFingerprint } from './key.ts';
import { nameText } from './name-text.ts';

/** Fails with REQUEST_INVALID when `adit ca sign` would refuse it. */
export function explainRequest(der: Uint8Array, source: string): Explanation {
  const { publicKey, subject } = readRequest(der, source);
  return {
    title: 'certificate request',
    facts: [
      ['asks for', `${nameText(subject)} (what it is signed for is decided by "adit ca sign")`],
      ['key', keyTypeText(publicKey)],
      ['key SHA-256', keyFingerprint(publicKey)],
      ['signature', 'made with its key'],
    ],
    problems: [],
  };
}
