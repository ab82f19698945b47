/**
 * socat, with a process for each connection on both sides. TLS 1.3 only; both certificates and the server's name are
 * verified.
 */
import { type Pki, serverName } from '../pki.ts';
import { programPeer } from './program-peer.ts';

const listens = 'reuseaddr,fork,backlog=4096,nodelay';
const tls = ({ ca }: Pki, { pem }: Pki['server']): string =>
  `openssl-min-proto-version=TLS1.3,cert=${pem},cafile=${ca},verify=1`;

export const socat = programPeer({
  program: 'socat',
  kind: 'rival',
  versionFlag: '-V',
  commands: (program, { pki, ingressPort, egressHost, egressPort, servicePort }) => ({
    egress: [
      program,
      `OPENSSL-LISTEN:${egressPort},bind=${egressHost},${listens},${tls(pki, pki.server)}`,
      `TCP:127.0.0.1:${servicePort},nodelay`,
    ],
    ingress: [
      program,
      `TCP-LISTEN:${ingressPort},bind=127.0.0.1,${listens}`,
      `OPENSSL:${egressHost}:${egressPort},nodelay,${tls(pki, pki.client)},commonname=${serverName}`,
    ],
  }),
});
