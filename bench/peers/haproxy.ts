/**
 * HAProxy in TCP mode, two threads a process (one for each core of the reference machine), long timeouts, no log. TLS
 * 1.3 only, both certificates verified, the name of the server checked; it resumes its TLS sessions, as it does by
 * default.
 */
import { serverName } from '../pki.ts';
import { configuration } from './configuration.ts';
import { programPeer } from './program-peer.ts';

const shared = (connections: number): string[] => [
  'global',
  `  maxconn ${connections}`,
  '  nbthread 2',
  '  ssl-default-bind-options ssl-min-ver TLSv1.3',
  '  ssl-default-server-options ssl-min-ver TLSv1.3',
  'defaults',
  '  mode tcp',
  '  timeout connect 10s',
  '  timeout client 1h',
  '  timeout server 1h',
];

export const haproxy = programPeer({
  program: 'haproxy',
  versionFlag: '-v',
  commands: (program, { folder, pki, ingressPort, egressHost, egressPort, servicePort, connections }) => ({
    egress: [
      program,
      '-db',
      '-f',
      configuration(folder, 'egress.cfg', [
        ...shared(connections),
        'frontend tunnel',
        `  bind ${egressHost}:${egressPort} ssl crt ${pki.server.pem} ca-file ${pki.ca} verify required`,
        '  default_backend service',
        'backend service',
        `  server service 127.0.0.1:${servicePort}`,
      ]),
    ],
    ingress: [
      program,
      '-db',
      '-f',
      configuration(folder, 'ingress.cfg', [
        ...shared(connections),
        'frontend local',
        `  bind 127.0.0.1:${ingressPort}`,
        '  default_backend tunnel',
        'backend tunnel',
        `  server egress ${egressHost}:${egressPort} ssl crt ${pki.client.pem} ca-file ${pki.ca} verify required ` +
          `verifyhost ${serverName}`,
      ]),
    ],
  }),
});
