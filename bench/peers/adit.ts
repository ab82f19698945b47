/**
 * Adit itself, this checkout's build or another: an egress with one rule, an ingress with one forward, defaults
 * otherwise.
 * Rule: it starts as a user would start it, each half with the program of its own package and the Node of the
 * benchmark. No environment variable is set for speed. Its log goes to a file, with access records.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AditBuild } from '../options.ts';
import { clientName } from '../pki.ts';
import { versionOf } from '../process/program.ts';
import { configuration } from './configuration.ts';
import type { Peer } from './peer.ts';

/** The build of this checkout. */
export const ownBuild: AditBuild = { name: 'adit', root: join(import.meta.dirname, '..', '..') };

/** The same build with other options, measured only when named. The ratio shows what an option costs. */
export const variants: readonly AditBuild[] = [
  { ...ownBuild, name: 'adit-no-replay', egressFlags: ['--resume-window', '0'] }, // nothing is kept or acknowledged
  { ...ownBuild, name: 'adit-wss', scheme: 'wss://' },
  { ...ownBuild, name: 'adit-connect-h2', scheme: 'connect+h2://' },
];

/** A peer for one build. */
export function adit({ name, root, egressFlags = [], scheme = '' }: AditBuild): Peer {
  const program = (half: 'egress' | 'ingress'): string => join(root, 'packages', half, 'dist', 'main.js');
  const start = (half: 'egress' | 'ingress', args: readonly string[]): string[] => [
    process.execPath,
    program(half),
    ...args,
    '--log-format',
    'json',
  ];
  return {
    name,
    kind: 'adit',
    unavailable: () => {
      const absent = [program('egress'), program('ingress')].find((file) => !existsSync(file));
      return absent === undefined
        ? undefined
        : `not built: there is no ${absent}; run "npm run build" in ${root} first`;
    },
    version: async () =>
      `${await versionOf([process.execPath, program('egress'), '--version'])}, Node ${process.versions.node}`,
    commands: ({ folder, pki, ingressPort, egressPort, servicePort }) => {
      const policy = configuration(folder, 'policy.yaml', [
        'version: 1',
        'rules:',
        `  - { name: bench, identities: [${clientName}], allow: ["127.0.0.1:*"] }`,
      ]);
      return {
        egress: start('egress', [
          '--listen',
          `127.0.0.1:${egressPort}`,
          '--cert',
          pki.server.cert,
          '--key',
          pki.server.key,
          '--client-ca',
          pki.ca,
          '--policy',
          policy,
          ...egressFlags,
        ]),
        ingress: start('ingress', [
          '--egress',
          `${scheme}127.0.0.1:${egressPort}`,
          '--cert',
          pki.client.cert,
          '--key',
          pki.client.key,
          '--ca',
          pki.ca,
          '-L',
          `127.0.0.1:${ingressPort}:127.0.0.1:${servicePort}`,
        ]),
      };
    },
  };
}
