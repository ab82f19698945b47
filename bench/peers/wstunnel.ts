/**
 * wstunnel (Rust): a WebSocket in mutual TLS for each connection, no log. It verifies the server by the system's roots
 * alone, so that its client is told by `SSL_CERT_FILE` that ours is all there is.
 */
import { programPeer } from './program-peer.ts';

const quiet = ['--log-lvl', 'OFF'];

export const wstunnel = programPeer({
  program: 'wstunnel',
  kind: 'rival',
  versionFlag: '--version',
  commands: (program, { pki, ingressPort, egressHost, egressPort, servicePort }) => ({
    egress: [
      program,
      'server',
      ...quiet,
      ...['--tls-certificate', pki.server.cert, '--tls-private-key', pki.server.key],
      ...['--tls-client-ca-certs', pki.ca],
      `wss://${egressHost}:${egressPort}`,
    ],
    ingress: [
      ...['env', `SSL_CERT_FILE=${pki.ca}`, program],
      'client',
      ...quiet,
      '--tls-verify-certificate',
      ...['--tls-certificate', pki.client.cert, '--tls-private-key', pki.client.key],
      ...['-L', `tcp://127.0.0.1:${ingressPort}:127.0.0.1:${servicePort}`],
      `wss://${egressHost}:${egressPort}`,
    ],
  }),
});
