/**
 * socat, one process a connection on both sides. TLS 1.3 only, both certificates verified, the name of the server
 * checked.
 */
import { serverName } from '../pki.ts';
import { programPeer } from './program-peer.ts';

export const socat = programPeer({
  program: 'socat',
  versionFlag: '-V',
  commands: (program, { pki, ingressPort, egressPort, servicePort }) => ({
    egress: [
      program,
      `OPENSSL-LISTEN:${egressPort},bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay,openssl-min-proto-version=TLS1.3,cert=${pki.server.pem},cafile=${pki.ca},verify=1`,
      `TCP:127.0.0.1:${servicePort},nodelay`,
    ],
    ingress: [
      program,
      `TCP-LISTEN:${ingressPort},bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay`,
      `OPENSSL:127.0.0.1:${egressPort},nodelay,openssl-min-proto-version=TLS1.3,cert=${pki.client.pem},cafile=${pki.ca},verify=1,commonname=${serverName}`,
    ],
  }),
});
