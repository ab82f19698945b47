import { expect, test } from '@jest/globals';
import { parseTransparentSpec, type TransparentSpec } from '@adit/shared/config/values/transparent-listen';
import { redirectionsTo } from './redirections.ts';

function specs(...texts: readonly string[]): TransparentSpec[] {
  return texts.map((text) => {
    const spec = parseTransparentSpec(text);
    if (!spec.ok) throw new Error(spec.reason);
    return spec.value;
  });
}

test.each([
  ['4000', ['output 4 redirect 4000']],
  ['[::1]:4000', ['output 6 redirect 4000']],
  ['127.0.0.9:4000', ['output 4 dnat 127.0.0.9 4000']],
  [
    '*:4000',
    ['output 4 redirect 4000', 'output 6 redirect 4000', 'prerouting 4 redirect 4000', 'prerouting 6 redirect 4000'],
  ],
  ['0.0.0.0:4000', ['output 4 redirect 4000', 'prerouting 4 redirect 4000']],
  ['192.0.2.1:4000', ['output 4 dnat 192.0.2.1 4000', 'prerouting 4 dnat 192.0.2.1 4000']],
  ['[::ffff:192.0.2.1]:4000', ['output 4 dnat 192.0.2.1 4000', 'prerouting 4 dnat 192.0.2.1 4000']],
  ['*:4000?tproxy', ['prerouting 4 tproxy 4000', 'prerouting 6 tproxy 4000']],
  ['4000?tproxy', ['prerouting 4 tproxy 127.0.0.1 4000']],
  ['[2001:db8:0::1]:4000?tproxy', ['prerouting 6 tproxy 2001:db8::1 4000']],
])('%s takes %j', (text, expected) => {
  expect(
    redirectionsTo(specs(text)).map(({ hook, family, how, address, port }) =>
      [hook, family, how, ...(address === undefined ? [] : [address]), port].join(' '),
    ),
  ).toEqual(expected);
});

test('several listeners share the connections, each taking its own', () => {
  expect(
    redirectionsTo(specs('*:4001?tproxy', '[::1]:4000', '4000')).map(
      ({ hook, family, how }) => `${hook} ${family} ${how}`,
    ),
  ).toEqual(['output 4 redirect', 'output 6 redirect', 'prerouting 4 tproxy', 'prerouting 6 tproxy']);
});

test.each([
  [[], 'USAGE', /add --transparent/],
  [['0'], 'CONFIG_INVALID', /^--transparent "0": rules need the port/],
  [['systemd:adit'], 'CONFIG_INVALID', /need the port/],
  [['localhost:4000'], 'CONFIG_INVALID', /rules need an address, not a name/],
  [
    ['4000', '4001'],
    'CONFIG_INVALID',
    /^--transparent "4000" and "4001" would both receive the IPv4 connections of this machine: print/,
  ],
  [['*:4000', '*:4001?tproxy'], 'CONFIG_INVALID', /the IPv4 connections that are routed through this machine/],
])('%j has no rules, and the complaint says why', (texts, code, message) => {
  expect(() => redirectionsTo(specs(...texts))).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});
