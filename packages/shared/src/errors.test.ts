import { describe, expect, test } from '@jest/globals';
import { AditError, codeOfWire, codes, wireOfCode, type CodeRow } from './errors.ts';

const rows = Object.entries(codes) as [keyof typeof codes, CodeRow][];

describe('the table of codes', () => {
  test('no wire number is used twice', () => {
    const wires = rows.flatMap(([, row]) => (row.wire === undefined ? [] : [row.wire]));
    expect(new Set(wires).size).toBe(wires.length);
  });
  test('every code that crosses the wire comes back as itself', () => {
    for (const [code, row] of rows) if (row.wire !== undefined) expect(codeOfWire(wireOfCode(code))).toBe(code);
  });
  test('every code has one sentence of advice', () => {
    for (const [, row] of rows) expect(row.advice).toMatch(/^[A-Z].*\.$/);
  });
  test('a number of a newer peer reads as INTERNAL, and a local code goes out as INTERNAL', () => {
    expect(codeOfWire(9999)).toBe('INTERNAL');
    expect(wireOfCode('CA_EXISTS')).toBe(2);
  });
  test('a final refusal of the egress exits with 4, our own certificate with 3', () => {
    expect(new AditError('CLIENT_CERT_REVOKED', 'no').exitStatus).toBe(4);
    expect(new AditError('CREDENTIALS_UNUSABLE', 'no').exitStatus).toBe(3);
  });
});
