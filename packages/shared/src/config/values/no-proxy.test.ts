import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bypassesProxy } from './no-proxy.ts';

test.each([
  ['example.org:443', 'example.org', true],
  ['tunnel.example.org:443', 'example.org', true],
  ['notexample.org:443', 'example.org', false],
  ['example.org.evil:443', 'example.org', false],
  ['tunnel.example.org:443', '.example.org', true],
  ['example.org:443', '.example.org', true],
  ['notexample.org:443', '.example.org', false],
  ['tunnel.example.org:443', '*.example.org', true],
  ['TUNNEL.Example.Org.:443', 'example.ORG', true],
  ['example.org:443', 'EXAMPLE.org.', true],
  ['anything:1', '*', true],
  ['10.1.2.3:1', '*', true],
  ['anything:1', 'x,*', true],
  ['anything:1', '', false],
  ['anything:1', ' , ,', false],
  ['anything:1', '.', false],
  ['anything:1', '*.', false],
  ['a.example:443', 'b.example, a.example', true],
  ['a.example:443', 'b.example a.example', true],
  ['a.example:443', 'b.example,c.example', false],
  ['a.example:8443', 'a.example:8443', true],
  ['a.example:443', 'a.example:8443', false],
  ['x.a.example:8443', '.a.example:8443', true],
  ['[fd00::1]:8443', '[fd00::1]:8443', true],
  ['[fd00::1]:443', '[fd00::1]:8443', false],
  ['127.0.0.1:8443', '127.0.0.1', true],
  ['127.0.0.1:8443', 'localhost', false],
  ['localhost:8443', '127.0.0.1', false],
  ['localhost:8443', 'localhost,127.0.0.1,::1', true],
  ['127.0.0.1:8443', '127.0.0.1:8443', true],
  ['127.0.0.1:1', '127.0.0.1:8443', false],
  ['10.1.2.3:1', '10.0.0.0/8', true],
  ['11.1.2.3:1', '10.0.0.0/8', false],
  ['10.1.2.3:1', '10.9.9.9/8', true],
  ['10.1.2.3:1', '10.1.2.3/32', true],
  ['10.1.2.3:1', '10.1.2.2/31', true],
  ['10.1.2.3:1', '0.0.0.0/0', true],
  ['10.1.2.3:1', '10.0.0.0/33', false],
  ['10.1.2.3:1', '10.0.0.0/x', false],
  ['10.1.2.3:1', '10.0.0.0/', false],
  ['10.1.2.3:1', '2.3', false],
  ['10.1.2.3:1', '.3', false],
  ['[fd00::1]:1', 'fd00::/8', true],
  ['[fd00::1]:1', 'fd00::99/8', true],
  ['[fe80::1]:1', 'fd00::/8', false],
  ['[fd00::1]:1', 'fd00:0:0:0:0:0:0:1', true],
  ['[fd00::1]:1', '[fd00::1]', true],
  ['[::ffff:10.0.0.1]:1', '10.0.0.0/8', true],
  ['10.0.0.1:1', '::/0', false],
  ['db.internal:1', '10.0.0.0/8', false],
])('%s with NO_PROXY=%j: %p', (at, list, direct) => {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(at)!;
  expect(bypassesProxy({ host: bracketed ?? plain!, port: Number(port) }, list)).toBe(direct);
});

test('no list makes it throw, and a list that names the host lets it through', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0.1:/*[]a,\0') }),
      (host, before, after) => {
        expect(typeof bypassesProxy({ host, port: 1 }, `${before},${after}`)).toBe('boolean');
        expect(bypassesProxy({ host, port: 1 }, `${before},${host},${after}`)).toBe(true);
      },
    ),
  );
});
