import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { rulesScript } from './rules.ts';

const both = rulesScript({
  uid: 997,
  specs: ['4000', "[::1]:4001?tproxy'"],
  redirections: [
    { hook: 'output', family: 4, how: 'redirect', port: 4000 },
    { hook: 'prerouting', family: 4, how: 'dnat', address: '192.0.2.1', port: 4000 },
    { hook: 'prerouting', family: 6, how: 'tproxy', address: '::1', port: 4001 },
  ],
});

test('a script is plain sh, and without a command, or with an unknown one, prints its usage', () => {
  for (const args of [[], ['nft']])
    expect(spawnSync('sh', ['-s', ...args], { input: both, encoding: 'utf8' })).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'usage: sh FILE nftables | nftables-off | iptables | iptables-off\n',
    });
});

test('it leaves the connections of the ingress alone, first of all', () => {
  expect(both).toContain('uid=${uid:-997}');
  expect(both).toMatch(/hook output priority -100; policy accept;\n {4}meta skuid \$uid return\n/);
  expect(both).toMatch(
    /-N ADIT_OUTPUT\n {2}iptables -w -t nat -A ADIT_OUTPUT -m owner --uid-owner "\$uid" -j RETURN\n/,
  );
  expect(both).not.toContain('That is root here');
  expect(
    rulesScript({
      uid: 0,
      specs: ['4000'],
      redirections: [{ hook: 'output', family: 4, how: 'redirect', port: 4000 }],
    }),
  ).toContain('That is root here');
});

test('TPROXY, which sees every packet, leaves replies alone', () => {
  expect(both).toMatch(/priority mangle; policy accept;\n {4}ct direction reply return\n/);
  expect(both).toContain('ip6tables -w -t mangle -A ADIT_TPROXY -m conntrack --ctdir REPLY -j RETURN');
  expect(both.match(/ct direction/g)).toHaveLength(1);
});

test('each kind of redirection has its rule in nftables and in iptables', () => {
  expect(both).toContain('meta l4proto tcp ip daddr { $to4 } redirect to :4000');
  expect(both).toContain('meta l4proto tcp ip daddr { $to4 } dnat ip to 192.0.2.1:4000');
  expect(both).toContain('meta l4proto tcp ip6 daddr { $to6 } meta mark set 0xad17 tproxy ip6 to [::1]:4001 accept');
  expect(both).toContain('iptables -w -t nat -A ADIT_OUTPUT -p tcp -d "$to4" -j REDIRECT --to-ports 4000');
  expect(both).toContain(
    'iptables -w -t nat -A ADIT_PREROUTING -p tcp -d "$to4" -j DNAT --to-destination 192.0.2.1:4000',
  );
  expect(both).toContain(
    'ip6tables -w -t mangle -A ADIT_TPROXY -p tcp -d "$to6" -j TPROXY --on-ip ::1 --on-port 4001 --tproxy-mark 0xad17',
  );
  expect(both).toContain('ip -6 route replace local default dev lo table 44311');
  expect(both).not.toContain('ip -4 route');
});

test('a family or a hook without a listener gets no rules', () => {
  const four = rulesScript({
    uid: 1,
    specs: ['4000'],
    redirections: [{ hook: 'output', family: 4, how: 'redirect', port: 4000 }],
  });
  for (const absent of ['ip6', 'to6=', 'prerouting', 'PREROUTING', 'fwmark']) expect(four).not.toContain(absent);
});
