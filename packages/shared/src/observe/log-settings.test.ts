import { expect, test } from '@jest/globals';
import { logFormats, logLevels } from './log-settings.ts';

test('levels rise, and a format may be left to the terminal', () => {
  expect(logLevels).toEqual(['debug', 'info', 'warn', 'error']);
  expect(logFormats).toEqual(['auto', 'json', 'pretty']);
});
