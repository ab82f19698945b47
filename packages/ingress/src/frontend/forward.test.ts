import { expect, test } from '@jest/globals';
import { forward } from './forward.ts';

test('every connection gets the one destination, at once and without a look at the client', () => {
  const destination = { kind: 'service', service: 'web' } as const;
  const client = {
    get duplex(): never {
      throw new Error('it was looked at');
    },
  };
  expect(forward(destination).ask(client)).toEqual({ carry: 'splice', frontEnd: 'forward', destination });
});
