/**
 * One link as alice, in the process of the test, and listeners that never answer it.
 * Rule: the port is read for each attempt, so that a test can move the egress, or lose it in a silent network.
 */
import { once } from 'node:events';
import type net from 'node:net';
import type { Carrier } from '@adit/shared/carrier/contract';
import { dialTls } from '@adit/shared/carrier/tls';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { Link, type LinkOptions } from '../../packages/ingress/src/link/link.ts';
import type { Certificates } from './certificates.ts';
import { memoryLog, type Line } from './in-process.ts';
import { atEnd } from './scope.ts';

/** A carrier to whatever listens at `at.port`; it has a minute. */
export function dialAlice(at: { port: number }, certs: Certificates, signal: AbortSignal): Promise<Carrier> {
  const pair = certs.client('alice');
  return dialTls({
    host: '127.0.0.1',
    port: at.port,
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert: pair.cert, key: pair.key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    deadlineMs: 60_000,
    signal,
  });
}

/** A link as alice to wherever `at.port` points; a dial has a minute. */
export function linkTo(
  at: { port: number },
  certs: Certificates,
  changes: Partial<LinkOptions> = {},
): { link: Link; lines: Line[]; until: (match: (line: Line) => boolean) => Promise<Line> } {
  const { log, lines, until } = memoryLog();
  const link = new Link({
    name: 'edge',
    answered: () => {},
    onUsable: () => undefined,
    handshakeTimeoutMs: 60_000,
    maxCarrierAgeMs: 0,
    window: 262_144,
    replayLimitBytes: 1 << 20,
    agent: 'test',
    log,
    lanes: 1,
    dial: (signal) => dialAlice(at, certs, signal),
    dialBeside: (_carrier, signal) => dialAlice(at, certs, signal),
    ...changes,
  });
  atEnd(() => link.stop());
  return { link, lines, until };
}

/** Takes connections and sends nothing, before the TLS handshake or after it. */
export async function silent(
  server: net.Server,
  event: 'connection' | 'secureConnection',
): Promise<{ port: number; seen: () => number; reached: Promise<void> }> {
  let seen = 0;
  const sockets = new Set<net.Socket>();
  const reached = new Promise<void>((resolve) =>
    server.on(event, (socket: net.Socket) => {
      seen++;
      sockets.add(
        socket
          .on('error', () => {
            /* given up */
          })
          .resume(),
      );
      resolve();
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as net.AddressInfo).port, seen: () => seen, reached };
}
