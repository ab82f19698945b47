import { expect, test } from '@jest/globals';
import { days, many, outOption, passphraseOption, storeFolder, storeOption } from './flags.ts';

test('days are whole numbers', () => {
  expect(days('90')).toBe(90);
  for (const text of ['', '0', '-1', '1.5', '1e3', '90d', '100000'])
    expect(() => days(text)).toThrow('Give a whole number of days');
});
test('a repeatable flag gathers', () => {
  expect(many('b', many('a', undefined))).toEqual(['a', 'b']);
});
test('the store is the flag, else the variable, else ./ca; an empty variable is none', () => {
  const before = process.env['ADIT_CA_DIR'];
  try {
    delete process.env['ADIT_CA_DIR'];
    expect(storeFolder({})).toBe('ca');
    process.env['ADIT_CA_DIR'] = '';
    expect(storeFolder({})).toBe('ca');
    process.env['ADIT_CA_DIR'] = '/x';
    expect([storeFolder({}), storeFolder({ dir: 'y' })]).toEqual(['/x', 'y']);
  } finally {
    if (before === undefined) delete process.env['ADIT_CA_DIR'];
    else process.env['ADIT_CA_DIR'] = before;
  }
});
test('shared flags have their names', () => {
  expect([storeOption(), outOption(), passphraseOption()].map(({ long }) => long)).toEqual([
    '--dir',
    '--out',
    '--passphrase-file',
  ]);
});
