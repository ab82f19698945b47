import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sniRouter, type SniTarget } from './sni-routes.ts';

const port = (number: number): SniTarget => ({ kind: 'same-name', port: number });

test('the most specific pattern wins, in whatever order they were written', () => {
  const routes = [
    { pattern: '*', target: port(1) },
    { pattern: '*.com', target: port(2) },
    { pattern: '*.example.com', target: port(3) },
    { pattern: 'www.example.com', target: port(4) },
    { pattern: 'example.com', target: port(5) },
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(routes, { minLength: routes.length }), (shuffled) => {
      const route = sniRouter(shuffled);
      expect(
        [
          'www.example.com',
          'a.www.example.com',
          'api.example.com',
          'example.com',
          'x.com',
          'com',
          'x.org',
          'example.com.org',
        ].map(route),
      ).toEqual([4, 3, 3, 5, 2, 1, 1, 1].map(port));
    }),
  );
});

test('without a pattern for it a name has no route; a client without a name has that of * alone', () => {
  const route = sniRouter([{ pattern: '*.example.com', target: { kind: 'refuse' } }]);
  expect(route('example.com')).toBeUndefined();
  expect(route('notexample.com')).toBeUndefined();
  expect(route(undefined)).toBeUndefined();
  expect(route('a.b.example.com')).toEqual({ kind: 'refuse' });
  expect(sniRouter([{ pattern: '*', target: port(443) }])(undefined)).toEqual(port(443));
});
