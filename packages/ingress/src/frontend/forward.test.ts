import { expect, test } from '@jest/globals';
import net from 'node:net';
import { forward } from './forward.ts';

test('every connection gets the one destination, at once and without an answer to the client', () => {
  const destination = { kind: 'service', service: 'web' } as const;
  const frontEnd = forward(destination);
  expect(frontEnd.kind).toBe('forward');
  expect(frontEnd.ask(new net.Socket())).toEqual({ destination });
});
