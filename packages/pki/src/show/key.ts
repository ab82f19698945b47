/** Explains a private or public key. Never prints any part of the private key. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { isEncryptedKey } from '../private-key.ts';
import { keyTypeText } from '../request.ts';
import type { Explanation } from './explanation.ts';

/** `pem` is one block; `mode` is the mode of its file, on systems that have modes. Throws when it does not parse. */
export function explainKey(pem: string, mode: number | undefined): Explanation {
  const modeProblems =
    mode === undefined || (mode & 0o077) === 0
      ? []
      : [
          `Its file has mode ${(mode & 0o777).toString(8).padStart(4, '0')}, so others may use it: run "chmod ` +
            '600" on it.',
        ];
  if (isEncryptedKey(pem))
    return {
      title: 'private key, encrypted',
      facts: [['passphrase', 'needed: the key of a CA may have one; ingress and egress take only keys without']],
      problems: [],
    };
  const key = createPrivateKey(pem);
  return {
    title: 'private key',
    facts: keyFacts(createPublicKey(key)),
    problems: [...modeProblems, ...keyProblems(key)],
  };
}

export function explainPublicKey(pem: string): Explanation {
  const key = createPublicKey(pem);
  return { title: 'public key', facts: keyFacts(key), problems: keyProblems(key) };
}

/** The same for a certificate and for its key. */
export function keyFingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Keys that peers refuse. */
export function keyProblems({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string[] {
  const bits = details?.modulusLength;
  if (type === 'rsa' && bits !== undefined && bits < 2048)
    return [`Its RSA key has ${bits} bits, and 2048 is the least that peers accept.`];
  if (type === 'dsa') return ['DSA keys do not work with TLS 1.3.'];
  return type === 'ec' && details?.namedCurve === 'secp256k1'
    ? ['The curve secp256k1 does not work with TLS 1.3.']
    : [];
}

function keyFacts(key: KeyObject): [string, string][] {
  return [
    ['type', keyTypeText(key)],
    ['key SHA-256', keyFingerprint(key)],
  ];
}
