/**
 * A script of sh that leads connections to the transparent listeners, with nftables or with iptables, and takes its
 * rules away again.
 * Rule: the connections of the ingress itself are left alone, by the user that it runs as, and so is what ends on this
 * machine or on its links. All that it changes is its own: one table, or chains that begin with ADIT. What is led to
 * TPROXY is marked first: with no listener there it ends here, and does not leave by another way. Answers of the
 * machines behind a gateway are left alone: nat rules see only what opens a connection, TPROXY sees every packet. Spec:
 * nft(8), iptables-extensions(8), Documentation/networking/tproxy.rst of Linux.
 */
import { formatHostPort } from '@adit/shared/protocol/destination';
import type { Hook, Lead } from './leads.ts';

export interface RulesOptions {
  readonly leads: readonly Lead[];
  /** The user that the ingress runs as. */
  readonly uid: number;
  /** The listeners as the user wrote them. */
  readonly specs: readonly string[];
}

/** fwmark and routing table of what TPROXY takes. */
const mark = '0xad17';
const table = 44311;
const linkLocal = { 4: '169.254.0.0/16', 6: 'fe80::/10' } as const;

/** The whole script. */
export function rulesScript({ leads, uid, specs }: RulesOptions): string {
  const families = ([4, 6] as const).filter((family) => leads.some((lead) => lead.family === family));
  const routed = leads.filter(({ how }) => how === 'tproxy').map(({ family }) => family);
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
    ...nftables(leads),
    ...iptables(leads),
    ...choice,
  ].join('\n');
}

function head(uid: number, specs: readonly string[]): string[] {
  return [
    '#!/bin/sh',
    '# Leads TCP connections to: adit ingress ' +
      `${specs.map((spec) => `--transparent '${spec.replaceAll("'", '')}'`).join(' ')}`,
    '# As root: sh FILE nftables, or sh FILE iptables; with -off behind the word it takes the rules away again.',
    '# uid: the user that the ingress runs as. Its connections are left alone, whichever program makes them.',
    ...(uid === 0
      ? ['# That is root here, and so is every service that runs as root: give the ingress a user of its own.']
      : []),
    '# to4, to6: where connections have to go to be led there, with commas: narrow it to what lies behind the egress.',
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

/** What is marked is for this machine, whatever its address. */
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

/** The hooks and tables that rules are needed in, each with its leads. */
function chains(
  leads: readonly Lead[],
): { readonly hook: Hook; readonly kind: 'nat' | 'tproxy'; readonly leads: readonly Lead[] }[] {
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
      leads: leads.filter((lead) => lead.hook === hook && (lead.how === 'tproxy') === (kind === 'tproxy')),
    }))
    .filter((chain) => chain.leads.length > 0);
}

function nftables(leads: readonly Lead[]): string[] {
  const bodies = chains(leads).flatMap(({ hook, kind, leads: here }) => [
    `  chain ${kind === 'tproxy' ? 'routed' : hook} {`,
    `    type ${kind === 'tproxy' ? 'filter' : 'nat'} hook ${hook} priority ` +
      `${kind === 'tproxy' ? 'mangle' : '-100'}; policy accept;`,
    ...(hook === 'output' ? ['    meta skuid $uid return'] : []),
    ...(kind === 'tproxy' ? ['    ct direction reply return'] : []),
    '    fib daddr type local return',
    ...here.flatMap(({ family }) => `    ${nftFamily[family]} daddr ${linkLocal[family]} return`),
    ...here.map(
      (lead) => `    meta l4proto tcp ${nftFamily[lead.family]} daddr { $to${lead.family} } ${nftLead(lead)}`,
    ),
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

function nftLead({ how, family, address, port }: Lead): string {
  const to = address === undefined ? `:${port}` : formatHostPort(address, port);
  if (how === 'redirect') return `redirect to :${port}`;
  return how === 'dnat'
    ? `dnat ${nftFamily[family]} to ${to}`
    : `meta mark set ${mark} tproxy ${nftFamily[family]} to ${to} accept`;
}

function iptables(leads: readonly Lead[]): string[] {
  const each = chains(leads).flatMap(({ hook, kind, leads: here }) =>
    here.map((lead) => {
      const chain = kind === 'tproxy' ? 'ADIT_TPROXY' : `ADIT_${hook.toUpperCase()}`;
      const command = `${tool[lead.family]} -t ${kind === 'tproxy' ? 'mangle' : 'nat'}`;
      const jump = `${hook.toUpperCase()} -p tcp -j ${chain}`;
      const skip = [
        ...(hook === 'output' ? ['-m owner --uid-owner "$uid"'] : []),
        ...(kind === 'tproxy' ? ['-m conntrack --ctdir REPLY'] : []),
        '-m addrtype --dst-type LOCAL',
        `-d ${linkLocal[lead.family]}`,
      ];
      return {
        on: [
          `${command} -N ${chain}`,
          ...skip.map((match) => `${command} -A ${chain} ${match} -j RETURN`),
          `${command} -A ${chain} -p tcp -d "$to${lead.family}" ${iptablesLead(lead)}`,
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

function iptablesLead({ how, address, port }: Lead): string {
  if (how === 'redirect') return `-j REDIRECT --to-ports ${port}`;
  return how === 'dnat'
    ? `-j DNAT --to-destination ${formatHostPort(address!, port)}`
    : `-j TPROXY${address === undefined ? '' : ` --on-ip ${address}`} --on-port ${port} --tproxy-mark ${mark}`;
}
