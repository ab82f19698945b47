import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { didYouMean, suggest } from './suggest.ts';

const known = ['listen', 'cert', 'key', 'client-ca', 'crl', 'policy', 'idle-timeout', 'max-streams'];

test('a slip of the fingers finds its word', () => {
  for (const [slip, word] of [
    ['lissten', 'listen'],
    ['lsiten', 'listen'],
    ['Cert', 'cert'],
    ['clientca', 'client-ca'],
    ['client_ca', 'client-ca'],
    ['polcy', 'policy'],
    ['idle-time', 'idle-timeout'],
    ['idle-timout', 'idle-timeout'],
    ['max-stream', 'max-streams'],
  ] as const)
    expect(suggest(slip, known)).toBe(word);
});

test('a word that resembles nothing gets no suggestion', () => {
  for (const word of ['', 'xylophone', 'forward', 'x'.repeat(10_000)]) expect(didYouMean(word, known)).toBe('');
  expect(didYouMean('kay', known)).toBe('; did you mean "key"?');
});

test('answers a known word or nothing, whatever it is asked', () => {
  fc.assert(
    fc.property(fc.string(), (word) => {
      expect([undefined, ...known]).toContain(suggest(word, known));
    }),
  );
});
