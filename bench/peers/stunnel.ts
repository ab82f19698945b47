/**
 * stunnel, one thread a connection. TLS 1.3 only, the chain of the peer verified on both sides, the name of the server
 * checked. Its defaults stand otherwise (session resumption, TCP_NODELAY); logging at errors, as its log would be a
 * cost no other pair has.
 */
import { serverName } from '../pki.ts';
import { configuration } from './configuration.ts';
import { programPeer } from './program-peer.ts';

const shared = [
  'foreground = yes',
  'pid =',
  'debug = 3',
  'sslVersionMin = TLSv1.3',
  'socket = l:TCP_NODELAY=1',
  'socket = r:TCP_NODELAY=1',
];

export const stunnel = programPeer({
  program: 'stunnel',
  versionFlag: '-version',
  commands: (program, { folder, pki, ingressPort, egressHost, egressPort, servicePort }) => ({
    egress: [
      program,
      configuration(folder, 'egress.conf', [
        ...shared,
        '[egress]',
        `accept = ${egressHost}:${egressPort}`,
        `connect = 127.0.0.1:${servicePort}`,
        `cert = ${pki.server.cert}`,
        `key = ${pki.server.key}`,
        `CAfile = ${pki.ca}`,
        'verifyChain = yes',
      ]),
    ],
    ingress: [
      program,
      configuration(folder, 'ingress.conf', [
        ...shared,
        '[ingress]',
        'client = yes',
        `accept = 127.0.0.1:${ingressPort}`,
        `connect = ${egressHost}:${egressPort}`,
        `cert = ${pki.client.cert}`,
        `key = ${pki.client.key}`,
        `CAfile = ${pki.ca}`,
        'verifyChain = yes',
        `checkHost = ${serverName}`,
      ]),
    ],
  }),
});
