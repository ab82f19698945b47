import { expect, test } from '@jest/globals';
import { parseCongestion } from './congestion.ts';

test.each(['auto', 'bbr', 'cubic', 'dctcp', 'x'.repeat(15)])('"%s" is a name', (name) => {
  expect(parseCongestion(name)).toEqual({ ok: true, value: name });
});

test.each(['', 'BBR', 'b b', 'bbr\0', 'x'.repeat(16)])('%j is none', (name) => {
  expect(parseCongestion(name)).toEqual({ ok: false, reason: expect.stringContaining('as bbr or cubic') });
});
