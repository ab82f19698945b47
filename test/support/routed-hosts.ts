/**
 * Three hosts in a row: a client, a gateway with its default route, and a far host with a web service that has no route
 * back to the client. Network namespaces of their own, joined by veth, IPv4 and IPv6.
 * Rule: a host is entered by its `prefix` and reached from nowhere else, so that two runs cannot meet; its ports are
 * its own. It ends with its process and has no name that could be left behind. Needs Linux and root.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { socketOptions } from '@adit/shared/native/socket-options';
import { type Egress, type Ingress, adit, policyOf, startEgress, startIngress } from './adit.ts';
import { certificates } from './certificates.ts';
import { Child, type Finished, run, succeed } from './child.ts';
import { newServer } from './issuer.ts';
import { inHttp, startNginxWith } from './nginx.ts';
import type { Ability } from './scenario.ts';
import { temporaryFolder } from './scope.ts';

/** Addresses of the web service, and one of its host that the policy denies. */
export const service = { 4: '198.51.100.7', 6: '2001:db8:7::7' } as const;
export const forbidden = '198.51.100.8';
/** Addresses of the gateway, towards its client. */
export const gatewayAddress = { 4: '192.0.2.1', 6: '2001:db8:2::1' } as const;
/** Addresses of the gateway, towards the far host. */
export const gatewayOutside = { 4: '203.0.113.1', 6: '2001:db8:1::1' } as const;
const farAddress = { 4: '203.0.113.2', 6: '2001:db8:1::2' } as const;

/** Another user than that of the ingress. */
const otherUser = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** A command that starts what follows it on a host. */
export type Prefix = readonly [string, ...string[]];

export interface RoutedHosts {
  readonly client: Prefix;
  readonly gateway: Prefix;
  readonly egress: Egress;
  /** `HOST:PORT` of it. */
  readonly egressAt: string;
  /** SHA-256 of `/file`, 3 MB. */
  readonly hash: string;
  /** The ingress on the gateway, as root, connected unless told otherwise. */
  ingress(flags: readonly string[], options?: { readonly connected?: boolean }): Promise<Ingress['process']>;
  /** Runs what `--print-rules` prints for these flags on the gateway. */
  rules(flags: readonly string[], word: string, variables?: Readonly<Record<string, string>>): Promise<void>;
}

export async function openRoutedHosts(): Promise<RoutedHosts> {
  const [client, gateway, far] = (await Promise.all(['client', 'gateway', 'far host'].map(openHost))) as [
    Child,
    Child,
    Child,
  ];
  await connect(
    { host: client, device: 'up0', addresses: ['192.0.2.2/24', '2001:db8:2::2/64'] },
    { host: gateway, device: 'lan0', addresses: [`${gatewayAddress[4]}/24`, `${gatewayAddress[6]}/64`] },
  );
  await connect(
    { host: gateway, device: 'wan0', addresses: [`${gatewayOutside[4]}/24`, `${gatewayOutside[6]}/64`] },
    { host: far, device: 'in0', addresses: [`${farAddress[4]}/24`, `${farAddress[6]}/64`] },
  );
  for (const [host, over] of [
    [client, gatewayAddress],
    [gateway, farAddress],
  ] as const)
    for (const family of [4, 6] as const)
      await inside(host, 'ip', `-${family}`, 'route', 'add', 'default', 'via', over[family]);
  for (const address of [`${service[4]}/32`, `${forbidden}/32`, `${service[6]}/128`])
    await inside(far, 'ip', 'address', 'add', address, 'dev', 'lo');
  const hash = await startWeb(far);
  const files = certificates();
  files.write('edge', newServer(files.authority, { dns: [farAddress[4]] }));
  const egress = await startEgress({
    certificates: files,
    host: farAddress[4],
    process: { prefix: prefixOf(far) },
    policy: policyOf({ allow: [`${service[4]}:*`, `[${service[6]}]:*`] }),
  });
  const egressAt = `${farAddress[4]}:${egress.port}`;
  return {
    client: prefixOf(client),
    gateway: prefixOf(gateway),
    egress,
    egressAt,
    hash,
    ingress: async (flags, { connected = true } = {}) => {
      const { process } = await startIngress({
        certificates: files,
        egressPort: egress.port,
        egress: egressAt,
        to: {},
        flags,
        process: { prefix: prefixOf(gateway) },
      });
      await process.event('listening');
      if (connected) await process.event('connected');
      return process;
    },
    rules: async (flags, word, variables = {}) => {
      const printed = await adit(['ingress', ...flags, '--print-rules']);
      if (printed.code !== 0) throw new Error(printed.stderr);
      const script = join(temporaryFolder(), 'rules.sh');
      writeFileSync(script, printed.stdout);
      await inside(gateway, 'sh', script, word, variables);
    },
  };
}

const fetch = ['curl', '--globoff', '--silent', '--show-error', '--max-time', '30'] as const;

/** curl on a host, as another user than the ingress. */
export function curl(host: Prefix, address: string, path: string, port = 80): Promise<Finished> {
  const [program, ...args] = [...host, ...otherUser, ...fetch, `http://${inUrl(address)}:${port}${path}`];
  return run(program, args);
}

/** SHA-256 of the service's `/file`, as curl gets it on a host. */
export async function fileHash(host: Prefix, address: string): Promise<string> {
  const [program, ...args] = [
    ...host,
    ...otherUser,
    'sh',
    '-c',
    `${fetch.join(' ')} "$0" | sha256sum`,
    `http://${inUrl(address)}/file`,
  ];
  return (await succeed(program, args)).stdout.split(' ')[0]!;
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** For `scenario`, beside the programs of one of the firewalls. */
export const routedHosts: readonly (string | Ability)[] = [
  'ip',
  'nsenter',
  'unshare',
  'setpriv',
  'curl',
  'nginx',
  {
    name: 'root with network namespaces',
    here: () => process.platform === 'linux' && process.getuid?.() === 0 && works('true'),
  },
  { name: 'native calls', here: () => !('missing' in socketOptions()) },
];

export interface Firewall {
  readonly word: 'nftables' | 'iptables';
  readonly needs: readonly (string | Ability)[];
}
/** The programs that can set the rules, each with what it needs. */
export const firewalls: readonly Firewall[] = [
  {
    word: 'nftables',
    needs: [
      'nft',
      {
        name: 'a kernel with REDIRECT and TPROXY for nftables',
        here: () =>
          works(
            'nft add table inet t && nft add chain inet t n "{ type nat hook output priority -100; }" && nft ' +
              'add rule inet t n meta l4proto tcp redirect to :1 && nft add chain inet t m "{ type filter hook ' +
              'prerouting priority mangle; }" && nft add rule inet t m meta l4proto tcp tproxy to :1',
          ),
      },
    ],
  },
  {
    word: 'iptables',
    needs: [
      'iptables',
      'ip6tables',
      {
        name: 'a kernel with REDIRECT and TPROXY for iptables',
        here: () =>
          works(
            'for each in iptables ip6tables; do $each -t nat -A OUTPUT -p tcp -m owner --uid-owner 0 -j ' +
              'REDIRECT --to-ports 1 && $each -t mangle -A PREROUTING -p tcp -j TPROXY --on-port 1 --tproxy-mark ' +
              '1 || exit 1; done',
          ),
      },
    ],
  },
];

function works(script: string): boolean {
  return (
    spawnSync('unshare', ['--net', 'sh', '-c', script], {
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    }).status === 0
  );
}

async function openHost(name: string): Promise<Child> {
  const child = new Child('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo ready && exec cat'], {
    name,
    listens: true,
  });
  await child.line(/^ready$/);
  return child;
}

function prefixOf({ pid }: Child): Prefix {
  return ['nsenter', `--net=/proc/${pid}/ns/net`];
}

async function inside(host: Child, ...command: readonly (string | Readonly<Record<string, string>>)[]): Promise<void> {
  const [program, ...args] = [...prefixOf(host), ...command.filter((word) => typeof word === 'string')];
  await succeed(program, args, {
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, ...command.find((word) => typeof word === 'object') },
  });
}

interface End {
  readonly host: Child;
  readonly device: string;
  readonly addresses: readonly string[];
}

/** A cable between two hosts. */
async function connect(near: End, far: End): Promise<void> {
  await succeed('ip', [
    'link',
    'add',
    near.device,
    'netns',
    String(near.host.pid),
    'type',
    'veth',
    'peer',
    'name',
    far.device,
    'netns',
    String(far.host.pid),
  ]);
  for (const { host, device, addresses } of [near, far]) {
    for (const address of addresses)
      await inside(host, 'ip', 'address', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []));
    await inside(host, 'ip', 'link', 'set', device, 'up');
  }
}

/** `/who` answers both addresses of a request; `/file` has the hash that is returned. */
async function startWeb(host: Child): Promise<string> {
  const files = temporaryFolder();
  const bytes = randomBytes(3_000_000);
  writeFileSync(join(files, 'file'), bytes);
  await startNginxWith(
    inHttp(
      `server { listen 80; listen [::]:80 ipv6only=on; root ${files}; location = /who { return 200 ` +
        '"$remote_addr asks $server_addr"; } }',
    ),
    { prefix: prefixOf(host) },
  );
  return createHash('sha256').update(bytes).digest('hex');
}
