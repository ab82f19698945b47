import { expect, test } from '@jest/globals';
import { processSettings } from './process-settings.ts';
import { resolveOptions } from './resolve.ts';

test('a process logs at info, in the format of its terminal, and runs', () => {
  expect(resolveOptions(processSettings, { flags: {}, environment: {} })).toEqual({
    reloadSignal: 'auto',
    logLevel: 'info',
    logFormat: 'auto',
    check: false,
  });
});

test('a level or a format that does not exist is refused with those that do', () => {
  expect(() => resolveOptions(processSettings, { flags: { logLevel: ['loud'] }, environment: {} })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: '--log-level "loud": not one of debug, info, warn, error',
    }),
  );
});
