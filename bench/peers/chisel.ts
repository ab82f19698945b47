/**
 * chisel (Go): every connection is a channel of one SSH session in a WebSocket in mutual TLS. Both certificates are
 * verified; SSH encrypts once more inside, and cannot be told not to.
 */
import { serverName } from '../pki.ts';
import { programPeer } from './program-peer.ts';

export const chisel = programPeer({
  program: 'chisel',
  kind: 'rival',
  versionFlag: '--version',
  commands: (program, { pki, ingressPort, egressHost, egressPort, servicePort }) => ({
    egress: [
      program,
      'server',
      ...['--host', egressHost, '--port', String(egressPort)],
      ...['--tls-cert', pki.server.cert, '--tls-key', pki.server.key, '--tls-ca', pki.ca],
    ],
    ingress: [
      program,
      'client',
      ...['--tls-cert', pki.client.cert, '--tls-key', pki.client.key, '--tls-ca', pki.ca, '--sni', serverName],
      `https://${egressHost}:${egressPort}`,
      `127.0.0.1:${ingressPort}:127.0.0.1:${servicePort}`,
    ],
  }),
});
