import { expect, test } from '@jest/globals';
import { variableOf } from './setting.ts';

test('the variable of a setting is its name in capitals behind ADIT_', () => {
  expect(variableOf('client-ca')).toBe('ADIT_CLIENT_CA');
  expect(variableOf('max-streams-per-identity')).toBe('ADIT_MAX_STREAMS_PER_IDENTITY');
});
