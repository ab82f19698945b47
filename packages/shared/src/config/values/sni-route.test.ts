import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSniRoute, type SniTarget } from './sni-route.ts';

const to = (host: string, port: number): SniTarget => ({ kind: 'fixed', destination: { kind: 'host', host, port } });
const web: SniTarget = { kind: 'fixed', destination: { kind: 'service', service: 'web' } };

describe('a route', () => {
  test.each<[string, string, SniTarget]>([
    ['www.example.com=web.internal:443', 'www.example.com', to('web.internal', 443)],
    ['WWW.Example.com.=web', 'www.example.com', web],
    ['*.example.com=[fd00::5]:8443', '*.example.com', to('fd00::5', 8443)],
    ['*.corp=:443', '*.corp', { kind: 'same-name', port: 443 }],
    ['*=10.0.0.7:443', '*', to('10.0.0.7', 443)],
    ['*=:443', '*', { kind: 'same-name', port: 443 }],
    ['old.example.com=refuse', 'old.example.com', { kind: 'refuse' }],
    ['localhost=web', 'localhost', web],
  ])('"%s"', (spec, pattern, target) => {
    expect(parseSniRoute(spec)).toEqual({ ok: true, value: { pattern, target, spec } });
  });

  test.each([
    ['', 'incomplete'],
    ['www.example.com', 'incomplete'],
    ['=web', 'the name is missing'],
    ['www.*.com=web', 'a * stands alone'],
    ['*w.example.com=web', 'a * stands alone'],
    ['*.*=web', 'a * stands alone'],
    ['*.=web', 'the name is missing'],
    ['192.0.2.7=web', 'clients ask for names'],
    ['www:443=web', 'clients ask for names'],
    ['[::1]=web', 'clients ask for names'],
    ['b\u00fccher.example=web', 'the name is not ASCII'],
    ['a b=web', 'the name has a control character or a space'],
    ['a.example=', 'the destination is missing'],
    ['a.example=:0', 'the port'],
    ['a.example=:', 'the port is missing'],
    ['a.example=a.b', 'the port is missing'],
    ['a.example=Refuse', 'lower-case'],
    ['a.example=tls://host:443', 'goes on as it is'],
  ])('"%s" is refused: %s', (spec, reason) => {
    expect(parseSniRoute(spec)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  test('never throws', () => {
    const word = fc.constantFrom(
      '*',
      '.',
      '=',
      'example.com',
      ':443',
      'refuse',
      'web',
      '[',
      ']',
      '192.0.2.7',
      ' ',
      '\0',
      '://',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 6 }).map((words) => words.join('')),
        ),
        (spec) => {
          const result = parseSniRoute(spec);
          if (result.ok)
            expect(parseSniRoute(spec.toLowerCase())).toMatchObject({ value: { pattern: result.value.pattern } });
          else expect(result.reason).not.toBe('');
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
