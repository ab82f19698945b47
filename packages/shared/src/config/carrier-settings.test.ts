import { expect, test } from '@jest/globals';
import { carrierSettings } from './carrier-settings.ts';
import { resolveOptions } from './resolve.ts';

test('the congestion control is auto unless it is named', () => {
  const resolve = (flags: Record<string, string[]>, environment = {}) =>
    resolveOptions(carrierSettings, { flags, environment });
  expect(resolve({})).toEqual({ congestion: 'auto' });
  expect(resolve({ congestion: ['cubic'] })).toEqual({ congestion: 'cubic' });
  expect(resolve({}, { ADIT_CONGESTION: 'bbr' })).toEqual({ congestion: 'bbr' });
});
