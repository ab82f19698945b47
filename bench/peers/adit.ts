/**
 * Adit itself, this checkout's build or another: an egress with one rule, an ingress with one forward, defaults otherwise.
 * Rule: started as a user would start it, with the Node that runs the benchmark; nothing in its environment is set for speed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AditBuild } from '../options.ts';
import { clientName } from '../pki.ts';
import { versionOf } from '../process/program.ts';
import { configuration } from './configuration.ts';
import type { Peer } from './peer.ts';

const program = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'dist', 'main.js');

/** The build of this checkout. */
export const ownBuild: AditBuild = { name: 'adit', command: [process.execPath, program] };

/** A peer for one build. */
export function adit({ name, command }: AditBuild): Peer {
  return {
    name,
    kind: 'adit',
    unavailable: () => (command === ownBuild.command && !existsSync(program) ? 'not built: run "npm run build" first' : undefined),
    version: async () => `${await versionOf([...command, '--version'])}, Node ${process.versions.node}`,
    commands: ({ folder, pki, ingressPort, egressPort, servicePort }) => {
      const policy = configuration(folder, 'policy.yaml', ['version: 1', 'rules:', `  - { name: bench, identities: [${clientName}], allow: ["127.0.0.1:*"] }`]);
      return {
        egress: [...command, 'egress', '--listen', `127.0.0.1:${egressPort}`, '--cert', pki.server.cert, '--key', pki.server.key, '--client-ca', pki.ca, '--policy', policy],
        ingress: [...command, 'ingress', '--egress', `127.0.0.1:${egressPort}`, '--cert', pki.client.cert, '--key', pki.client.key, '--ca', pki.ca, '-L', `127.0.0.1:${ingressPort}:127.0.0.1:${servicePort}`],
      };
    },
  };
}
