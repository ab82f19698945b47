/**
 * Adit itself, this checkout's build or another: an egress with one rule, an ingress with one forward, defaults
 * otherwise.
 * Rule: it starts as a user would start it, each half with the program of its own package and the Node of the
 * benchmark. No environment variable is set for speed. Its log goes to a file, with access records. The one flag that
 * is no default is the limit of streams, where a test opens more than the default permits.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AditBuild } from '../options.ts';
import { clientName } from '../pki.ts';
import { versionOf } from '../process/program.ts';
import { configuration } from './configuration.ts';
import type { PairSite, Peer } from './peer.ts';

/** The build of this checkout. */
export const ownBuild: AditBuild = { name: 'adit', root: join(import.meta.dirname, '..', '..') };

const defaultMaxStreams = 4096;

/** A build with another option, to show what the option costs or brings. */
function variant(suffix: string, options: Partial<AditBuild>, tests: Peer['tests']): Peer {
  const peer = adit({ ...ownBuild, ...options, name: `${ownBuild.name}-${suffix}` });
  return { ...peer, variantOf: ownBuild.name, ...(tests && { tests }) };
}

/** Measured when named, and by --full. */
export const variants: readonly Peer[] = [
  variant('no-replay', { egressFlags: ['--resume-window', '0'] }, ['bulk']), // nothing is kept or acknowledged
  variant('wss', { scheme: 'wss://' }, ['bulk']),
  variant('connect-h2', { scheme: 'connect+h2://' }, ['bulk']),
  variant('bbr', { egressFlags: ['--congestion', 'bbr'], ingressFlags: ['--congestion', 'bbr'] }, ['lossy-cubic']),
];

/** The program of one package of a build: what its manifest says. */
export function programOf({ root }: AditBuild, name: 'cli' | 'egress' | 'ingress'): string {
  const folder = join(root, 'packages', name);
  const manifest = join(folder, 'package.json');
  const { bin = {} } = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly bin?: Readonly<Record<string, string>> })
    : {};
  return join(folder, Object.values(bin)[0] ?? join('dist', 'main.js'));
}

/** The arguments of the egress. */
export function egressArguments({ egressFlags = [] }: AditBuild, site: PairSite): string[] {
  const { folder, pki, egressHost, egressPort, connections } = site;
  const policy = configuration(folder, 'policy.yaml', [
    'version: 1',
    'rules:',
    `  - { name: bench, identities: [${clientName}], allow: ["127.0.0.1:*"] }`,
  ]);
  return [
    ...['--listen', `${egressHost}:${egressPort}`, '--policy', policy],
    ...['--cert', pki.server.cert, '--key', pki.server.key, '--client-ca', pki.ca, '--log-format', 'json'],
    ...(connections > defaultMaxStreams ? ['--max-streams-per-identity', String(connections)] : []),
    ...egressFlags,
  ];
}

/** The arguments of the ingress. */
export function ingressArguments({ ingressFlags = [], scheme = '' }: AditBuild, site: PairSite): string[] {
  const { pki, egressHost, egressPort, ingressPort, servicePort } = site;
  return [
    ...['--egress', `${scheme}${egressHost}:${egressPort}`],
    ...['--cert', pki.client.cert, '--key', pki.client.key, '--ca', pki.ca, '--log-format', 'json'],
    ...['-L', `127.0.0.1:${ingressPort}:127.0.0.1:${servicePort}`],
    ...ingressFlags,
  ];
}

/** A peer for one build. */
export function adit(build: AditBuild): Peer {
  const { name, root } = build;
  const program = (half: 'egress' | 'ingress'): string => programOf(build, half);
  return {
    name,
    kind: 'adit',
    build,
    unavailable: () => {
      const absent = [program('egress'), program('ingress')].find((file) => !existsSync(file));
      return absent === undefined
        ? undefined
        : `not built: there is no ${absent}; run "npm run build" in ${root} first`;
    },
    version: async () =>
      `${await versionOf([process.execPath, program('egress'), '--version'])}, Node ${process.versions.node}`,
    commands: (site) => ({
      egress: [process.execPath, program('egress'), ...egressArguments(build, site)],
      ingress: [process.execPath, program('ingress'), ...ingressArguments(build, site)],
    }),
  };
}
