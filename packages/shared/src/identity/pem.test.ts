import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AditError } from '../errors.ts';
import { pemBlocks, readNamedFile } from './pem.ts';

const block = '-----BEGIN X-----\nAAEC\n-----END X-----\n';

test('blocks are found among other text', () => {
  expect(
    pemBlocks(`Bag Attributes\n${block}# note\r\n${block.replaceAll('\n', '\r\n')}`)?.map(({ label, der }) => [
      label,
      der.toString('hex'),
    ]),
  ).toEqual([
    ['X', '000102'],
    ['X', '000102'],
  ]);
});
test('header lines inside a block are not content', () => {
  expect(
    pemBlocks('-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAAEC\n-----END X-----')?.[0]?.der.toString(
      'hex',
    ),
  ).toBe('000102');
});
test('text without blocks has none', () => {
  expect(pemBlocks('hello')).toEqual([]);
});
test.each([
  ['cut off', block.slice(0, -8)],
  ['ends as another', block.replace('END X', 'END Y')],
  ['not base64', block.replace('AAEC', 'AA*C')],
  ['empty', block.replace('AAEC', '')],
  ['begins and nothing else', '-----BEGIN '],
])('a block that is %s is refused', (_, text) => {
  expect(pemBlocks(text)).toBeUndefined();
});
test('any text gives blocks or undefined', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('-----BEGIN ', 'X', '-----', '-----END ', '\n', 'AAEC', 'é')), (parts) => {
      pemBlocks(parts.join(''));
    }),
  );
});
test('many beginnings without an end take no quadratic time', () => {
  const started = performance.now();
  expect(pemBlocks('-----BEGIN X-----\n'.repeat(200_000))).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(2000);
});
test('a file that cannot be read is named with the reason', () => {
  expect(() => readNamedFile('/nonexistent/x.pem', 'the key', 'CREDENTIALS_UNUSABLE')).toThrow(
    'Cannot read the key /nonexistent/x.pem: there is no such file.',
  );
  expect(() => readNamedFile(tmpdir(), 'the key', 'CREDENTIALS_UNUSABLE')).toThrow('it is a folder');
  expect(() => readNamedFile(tmpdir(), 'the key', 'CREDENTIALS_UNUSABLE')).toThrow(AditError);
});
