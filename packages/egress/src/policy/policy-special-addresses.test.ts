import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatAddress } from '@adit/shared/protocol/address';
import { alice, allowing, policyOf, rule, to } from '../../../../test/support/policies.ts';

const atPort80 = (host: string): string => (host.includes(':') ? `[${host}]:80` : `${host}:80`);

describe('special addresses', () => {
  const v4Forms = (v4: string): string[] => {
    const [a, b, c, d] = v4.split('.').map(Number) as [number, number, number, number];
    const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
    return [
      v4,
      `::ffff:${v4}`,
      `::FFFF:${hex(a, b)}:${hex(c, d)}`,
      `0:0:0:0:0:ffff:${v4}`,
      `64:ff9b::${v4}`,
      `64:ff9b:1::${v4}`,
      `::${v4}`,
      `::ffff:0:${v4}`,
      `2002:${hex(a, b)}:${hex(c, d)}::1`,
      `2001:0:4136:e378:8000:63bf:${hex(~a & 255, ~b & 255)}:${hex(~c & 255, ~d & 255)}`,
      `2606:4700::5efe:${v4}`,
      `2606:4700::200:5efe:${v4}`,
    ];
  };
  const special = [
    '127.0.0.1',
    '127.8.8.8',
    '169.254.169.254',
    '169.254.1.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
  ].flatMap(v4Forms);
  const everything = [...special, '::1', '::', 'fe80::1', 'fd00:ec2::254', 'ff02::1', '0:0:0:0:0:0:0:1'];
  const unnamed = [
    '*:*',
    'db.internal:*',
    '*.internal:*',
    '0.0.0.0/0:*',
    '[::/0]:*',
    '126.0.0.0/7:*',
    '128.0.0.0/1:*',
    '[2000::/3]:*',
    '[::/8]:*',
    '[64:ff9b::/96]:*',
    '[2001::/32]:*',
    '[2002::/16]:*',
    '[fe00::/7]:*',
    '[::/3]:*',
    'svc',
  ];
  const services = { svc: 'tcp://db.internal:80' };

  it('are reached by no pattern that does not name them, in no spelling', () => {
    fc.assert(
      fc.property(fc.subarray(unnamed, { minLength: 1 }), fc.constantFrom(...everything), (allow, address) => {
        const asked = policyOf([rule('r', allow)], services);
        for (const destination of ['db.internal:80', 'a.internal:80', 'localhost.internal:80', 'svc'])
          expect(asked.decideAddress(alice, to(destination), address).allow).toBe(false);
        expect(asked.decide(alice, to(atPort80(address))).allow).toBe(false);
        if (allow.includes('*:*'))
          expect(asked.decide(alice, to(atPort80(address)))).toMatchObject({
            code: 'ADDRESS_PROHIBITED',
          });
      }),
      { numRuns: 1000 },
    );
  });

  it.each(everything)('are reached by a rule with that address: %s', (address) => {
    const named = allowing(atPort80(address), 'db.internal:80');
    expect(named.decide(alice, to(atPort80(address))).allow).toBe(true);
    expect(named.decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
    expect(named.decideAddress(alice, to('other.internal:80'), address).allow).toBe(false);
  });

  it.each([
    ['127.0.0.0/8', '127.9.9.9', true],
    ['127.0.0.0/16', '127.0.3.3', true],
    ['126.0.0.0/7', '127.0.0.1', false],
    ['169.254.0.0/16', '169.254.1.1', true],
    ['169.254.0.0/16', '169.254.169.254', false],
    ['169.254.169.254/32', '169.254.169.254', true],
    ['10.0.0.0/8', '10.1.1.1', true],
    ['8.0.0.0/6', '10.1.1.1', false],
    ['0.0.0.0/0', '10.1.1.1', false],
    ['0.0.0.0/0', '1.1.1.1', true],
    ['100.64.0.0/10', '100.100.100.200', false],
    ['fc00::/7', 'fd00::1', true],
    ['fc00::/6', 'fd00::1', false],
    ['fd00::/8', 'fd00:ec2::254', false],
    ['fe80::/10', 'fe80::1', true],
    ['64:ff9b::/96', '64:ff9b::1.1.1.1', true],
    ['64:ff9b::/96', '64:ff9b::7f00:1', false],
    ['64:ff9b::7f00:0/104', '64:ff9b::7f00:1', true],
    ['127.0.0.0/8', '64:ff9b::7f00:1', false],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
  ])('the range %s names %s: %s', (range, address, expected) => {
    const text = atPort80(range);
    expect(allowing(text).decide(alice, to(atPort80(address))).allow).toBe(expected);
    expect(allowing(text, '*:80').decideAddress(alice, to('a.example:80'), address).allow).toBe(
      expected || address === '1.1.1.1',
    );
  });

  it('that are private are reached by exact names and by wildcards, not by *', () => {
    for (const address of ['10.0.0.1', '192.168.1.1', '172.16.0.1', '100.64.0.1', 'fd00::1', '64:ff9b::10.0.0.1']) {
      expect(allowing('db.internal:80').decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
      expect(allowing('*.internal:80').decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
      expect(allowing('*:80').decideAddress(alice, to('db.internal:80'), address)).toMatchObject({
        allow: false,
        code: 'ADDRESS_PROHIBITED',
      });
      expect(allowing('*:80', 'db.internal:80').decideAddress(alice, to('db.internal:80'), address).allow).toBe(true);
    }
  });

  it('that are loopback are reached by localhost, if a rule names it exactly or a range names loopback', () => {
    const ask = (allow: string[], address: string): boolean =>
      allowing(...allow).decideAddress(alice, to('localhost:80'), address).allow;
    expect([
      ask(['localhost:80'], '127.0.0.1'),
      ask(['localhost:80'], '::1'),
      ask(['127.0.0.1:80'], '127.0.0.1'),
      ask(['[::1]:80'], '::1'),
      ask(['127.0.0.0/8:80'], '127.0.0.1'),
    ]).toEqual([true, true, true, true, true]);
    expect([
      ask(['localhost:80'], '169.254.169.254'),
      ask(['127.0.0.1:80'], '::1'),
      ask(['127.0.0.1:80'], '10.0.0.1'),
      ask(['*:80'], '127.0.0.1'),
      ask(['0.0.0.0/0:80'], '127.0.0.1'),
      ask(['10.0.0.0/8:80'], '10.0.0.1'),
    ]).toEqual([false, false, false, false, false, false]);
    expect(allowing('127.0.0.1:80').decide(alice, to('localhost:80')).allow).toBe(true);
    expect(allowing('10.0.0.0/8:80').decide(alice, to('localhost:80')).allow).toBe(false);
  });

  it('are reached by a service defined with that address, and by one defined with a name as by that name', () => {
    const services = {
      here: 'tcp://127.0.0.1:80',
      meta: 'tcp://169.254.169.254:80',
      name: 'tcp://db.internal:80',
      local: 'tcp://localhost:80',
    };
    const asked = policyOf([rule('r', Object.keys(services))], services);
    expect([
      asked.decide(alice, to('here')).allow,
      asked.decide(alice, to('meta')).allow,
      asked.decide(alice, to('name')).allow,
    ]).toEqual([true, true, true]);
    expect(
      ['10.0.0.1', '1.1.1.1', '127.0.0.1', '169.254.169.254'].map(
        (address) => asked.decideAddress(alice, to('name'), address).allow,
      ),
    ).toEqual([true, true, false, false]);
    expect(asked.decideAddress(alice, to('local'), '127.0.0.1').allow).toBe(true);
    expect(asked.decide(alice, to('127.0.0.1:80')).allow).toBe(false);
  });

  it('are not named by a name that only looks like an address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        const dotted = formatAddress(bytes);
        expect(allowing('*:80', '*.nip.io:80').decide(alice, to(`${dotted}.nip.io:80`)).allow).toBe(true);
        expect(allowing(`${dotted}:80`).decide(alice, to(`${dotted}.nip.io:80`)).allow).toBe(false);
      }),
    );
  });
});
