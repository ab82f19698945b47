/**
 * A shell script that redirects connections to the transparent listeners, with nftables or with iptables, and that
 * removes its rules again.
 * Rule: connections of the ingress itself are left alone (they are told apart by its user), and so are those to this
 * machine or to link-local addresses. The script changes only what is its own: one table, or chains whose names begin
 * with ADIT. A packet for TPROXY is marked first, so that without a listener it ends here instead of leaving by another
 * way. Replies of the machines behind a gateway are left alone: TPROXY sees every packet, nat rules only the first.
 * Spec: nft(8), iptables-extensions(8), Documentation/networking/tproxy.rst of Linux.
 */
import { formatHostPort } from '@adit/shared/protocol/destination';
import type { Hook, Redirection } from './redirections.ts';

export interface RulesOptions {
  readonly redirections: readonly Redirection[];
  /** The user id that the ingress runs as. */
  readonly uid: number;
  /** The listeners as the user wrote them. */
  readonly specs: readonly string[];
}

/** fwmark and routing table for TPROXY. */
const mark = '0xad17';
const table = 44311;
const linkLocal = { 4: '169.254.0.0/16', 6: 'fe80::/10' } as const;

/** The whole script. */
export function rulesScript({ redirections, uid, specs }: RulesOptions): string {
  const families = ([4, 6] as const).filter((family) =>
    redirections.some((redirection) => redirection.family === family),
  );
  const routed = redirections.filter(({ how }) => how === 'tproxy').map(({ family }) => family);
  return [
    ...head(uid, specs),
    ...families.map((family) => `to${family}=\${to${family}:-${family === 4 ? '0.0.0.0/0' : '::/0'}}`),
    '',
    'quietly() { "$@" 2>/dev/null || true; }',
    '',
    ...fn(
      'routes',
      routed.flatMap((family) => routesOn(family)),
    ),
    ...fn(
      'routes_off',
      routed.flatMap((family) => routesOff(family)),
    ),
    ...nftables(redirections),
    ...iptables(redirections),
    ...choice,
  ].join('\n');
}

function head(uid: number, specs: readonly string[]): string[] {
  return [
    '#!/bin/sh',
    '# Redirects TCP connections to: adit ingress ' +
      `${specs.map((spec) => `--transparent '${spec.replaceAll("'", '')}'`).join(' ')}`,
    '# As root: sh FILE nftables, or sh FILE iptables; with -off after the word it removes the rules again.',
    '# uid: the user that the ingress runs as. Its connections are left alone, whichever program makes them.',
    ...(uid === 0
      ? ['# That is root here, and so is every service that runs as root: give the ingress a user of its own.']
      : []),
    '# to4, to6: the destinations that are redirected, separated by commas; narrow them to what the egress can reach.',
    'set -eu',
    `uid=\${uid:-${uid}}`,
  ];
}

const choice = [
  'case ${1:-} in',
  '  nftables) routes; nftables ;;',
  '  nftables-off) nftables_off; routes_off ;;',
  '  iptables) iptables_off; routes; iptables_on ;;',
  '  iptables-off) iptables_off; routes_off ;;',
  '  *) echo "usage: sh FILE nftables | nftables-off | iptables | iptables-off" >&2; exit 2 ;;',
  'esac',
  '',
];

function fn(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [`${name}() { :; }`, ''] : [`${name}() {`, ...lines.map((line) => `  ${line}`), '}', ''];
}

const ip = { 4: 'ip -4', 6: 'ip -6' } as const;
const tool = { 4: 'iptables -w', 6: 'ip6tables -w' } as const;

/** Delivers marked packets to this machine, whatever their address. */
function routesOn(family: 4 | 6): string[] {
  return [
    ...routesOff(family),
    `${ip[family]} rule add fwmark ${mark} lookup ${table}`,
    `${ip[family]} route replace local default dev lo table ${table}`,
  ];
}

function routesOff(family: 4 | 6): string[] {
  return [
    `quietly ${ip[family]} rule del fwmark ${mark} lookup ${table}`,
    `quietly ${ip[family]} route flush table ${table}`,
  ];
}

/** The hooks and tables that need rules, each with its redirections. */
function chains(
  redirections: readonly Redirection[],
): { readonly hook: Hook; readonly kind: 'nat' | 'tproxy'; readonly redirections: readonly Redirection[] }[] {
  return (
    [
      ['output', 'nat'],
      ['prerouting', 'nat'],
      ['prerouting', 'tproxy'],
    ] as const
  )
    .map(([hook, kind]) => ({
      hook,
      kind,
      redirections: redirections.filter(
        (redirection) => redirection.hook === hook && (redirection.how === 'tproxy') === (kind === 'tproxy'),
      ),
    }))
    .filter((chain) => chain.redirections.length > 0);
}

function nftables(redirections: readonly Redirection[]): string[] {
  const bodies = chains(redirections).flatMap(({ hook, kind, redirections: here }) => [
    `  chain ${kind === 'tproxy' ? 'routed' : hook} {`,
    `    type ${kind === 'tproxy' ? 'filter' : 'nat'} hook ${hook} priority ` +
      `${kind === 'tproxy' ? 'mangle' : '-100'}; policy accept;`,
    ...(hook === 'output' ? ['    meta skuid $uid return'] : []),
    ...(kind === 'tproxy' ? ['    ct direction reply return'] : []),
    '    fib daddr type local return',
    ...here.flatMap(({ family }) => `    ${nftFamily[family]} daddr ${linkLocal[family]} return`),
    ...here.map((one) => `    meta l4proto tcp ${nftFamily[one.family]} daddr { $to${one.family} } ${nftVerdict(one)}`),
    '  }',
  ]);
  return [
    'nftables() {',
    '  nft -f - <<END',
    'table inet adit',
    'delete table inet adit',
    'table inet adit {',
    ...bodies,
    '}',
    'END',
    '}',
    '',
    ...fn('nftables_off', ['quietly nft delete table inet adit']),
  ];
}

const nftFamily = { 4: 'ip', 6: 'ip6' } as const;

function nftVerdict({ how, family, address, port }: Redirection): string {
  const to = address === undefined ? `:${port}` : formatHostPort(address, port);
  if (how === 'redirect') return `redirect to :${port}`;
  return how === 'dnat'
    ? `dnat ${nftFamily[family]} to ${to}`
    : `meta mark set ${mark} tproxy ${nftFamily[family]} to ${to} accept`;
}

function iptables(redirections: readonly Redirection[]): string[] {
  const each = chains(redirections).flatMap(({ hook, kind, redirections: here }) =>
    here.map((redirection) => {
      const chain = kind === 'tproxy' ? 'ADIT_TPROXY' : `ADIT_${hook.toUpperCase()}`;
      const command = `${tool[redirection.family]} -t ${kind === 'tproxy' ? 'mangle' : 'nat'}`;
      const jump = `${hook.toUpperCase()} -p tcp -j ${chain}`;
      const skip = [
        ...(hook === 'output' ? ['-m owner --uid-owner "$uid"'] : []),
        ...(kind === 'tproxy' ? ['-m conntrack --ctdir REPLY'] : []),
        '-m addrtype --dst-type LOCAL',
        `-d ${linkLocal[redirection.family]}`,
      ];
      return {
        on: [
          `${command} -N ${chain}`,
          ...skip.map((match) => `${command} -A ${chain} ${match} -j RETURN`),
          `${command} -A ${chain} -p tcp -d "$to${redirection.family}" ${iptablesTarget(redirection)}`,
          `${command} -A ${jump}`,
        ],
        off: [`-D ${jump}`, `-F ${chain}`, `-X ${chain}`].map((what) => `quietly ${command} ${what}`),
      };
    }),
  );
  return [
    ...fn(
      'iptables_on',
      each.flatMap(({ on }) => on),
    ),
    ...fn(
      'iptables_off',
      each.flatMap(({ off }) => off),
    ),
  ];
}

function iptablesTarget({ how, address, port }: Redirection): string {
  if (how === 'redirect') return `-j REDIRECT --to-ports ${port}`;
  return how === 'dnat'
    ? `-j DNAT --to-destination ${formatHostPort(address!, port)}`
    : `-j TPROXY${address === undefined ? '' : ` --on-ip ${address}`} --on-port ${port} --tproxy-mark ${mark}`;
}
