/** The ways to ask an HTTP proxy for a tunnel. */
import type { Dialect } from './front-end-contract.ts';

const statuses = {
  denied: '403 Forbidden',
  closed: '502 Bad Gateway',
  unreachable: '503 Service Unavailable',
} as const;
const errors = {
  denied: 'http_request_denied',
  closed: 'connection_refused',
  unreachable: 'destination_unavailable',
} as const;

export const httpConnect: Dialect = {
  name: 'HTTP CONNECT',
  frontEnd: 'http',
  request: (port) => `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: test\r\n\r\n`,
  accepted: 'HTTP/1.1 200 Connection established\r\n\r\n',
  refused: (why) =>
    new RegExp(
      `^HTTP/1\\.1 ${statuses[why]}\r\nProxy-Status: adit; error=${errors[why]}; details="[^\r\n]*"; ` +
        'adit-code=[A-Z_]+\r\n([^\r\n]+\r\n)+\r\n[A-Z_]+: .+\n.+\n$',
    ),
};
export const httpConnectWithPassword: Dialect = {
  ...httpConnect,
  name: 'HTTP CONNECT with a password',
  request: (port) =>
    `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${btoa('alice:s3cret')}\r\n\r\n`,
};
