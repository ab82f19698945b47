/** ghostunnel, one process a side (Go). It verifies the client by common name and the server by name. */
import { clientName, serverName } from '../pki.ts';
import { programPeer } from './program-peer.ts';

export const ghostunnel = programPeer({
  program: 'ghostunnel',
  versionFlag: '--version',
  commands: (program, { pki, ingressPort, egressHost, egressPort, servicePort }) => ({
    egress: [
      program,
      'server',
      '--listen',
      `${egressHost}:${egressPort}`,
      '--target',
      `127.0.0.1:${servicePort}`,
      '--cert',
      pki.server.cert,
      '--key',
      pki.server.key,
      '--cacert',
      pki.ca,
      '--allow-cn',
      clientName,
      '--quiet=all',
    ],
    ingress: [
      program,
      'client',
      '--listen',
      `127.0.0.1:${ingressPort}`,
      '--target',
      `${egressHost}:${egressPort}`,
      '--override-server-name',
      serverName,
      '--cert',
      pki.client.cert,
      '--key',
      pki.client.key,
      '--cacert',
      pki.ca,
      '--quiet=all',
    ],
  }),
});
