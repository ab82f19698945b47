/**
 * The steps of an ingress, one by one: TLS to an egress as any program could make it, and what the egress answers.
 */
import { once } from 'node:events';
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls';
import { AditError } from '@adit/shared/errors';
import { connectSession, RefusedError } from '@adit/shared/session/connect';
import type { Certificates, KeyPair } from './certificates.ts';
import { atEnd, within } from './scope.ts';
import { tlsCarrier } from './tls-carrier.ts';

/** A finished TLS 1.3 handshake with an egress, with or without a client certificate. */
export async function tlsTo(
  port: number,
  certificates: Certificates,
  pair?: KeyPair,
  options: ConnectionOptions & { readonly localAddress?: string } = {},
): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: certificates.authority.certPem,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['adit/1'],
    ...(pair !== undefined && { cert: pair.issued.certPem, key: pair.issued.keyPem }),
    ...options,
  });
  atEnd(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  await within(30_000, 'the TLS handshake', once(socket, 'secureConnect'));
  return socket;
}

/** What the egress answers to a HELLO: `welcome`, or the code of its refusal or of the failure. */
export async function answerOf(socket: TLSSocket): Promise<string> {
  try {
    await connectSession(tlsCarrier(socket, 'egress'), { window: 262_144, agent: 'test', deadlineMs: 30_000 });
    return 'welcome';
  } catch (error) {
    if (error instanceof RefusedError || error instanceof AditError) return error.code;
    throw error;
  }
}

/** Resolves when the other side has closed, reset or ended the connection. */
export function closing(socket: NodeJS.EventEmitter & { resume(): unknown }, ms = 30_000): Promise<void> {
  return within(
    ms,
    'the end of the connection',
    new Promise((resolve) => {
      socket.resume();
      for (const event of ['end', 'close'])
        socket.once(event, () => {
          resolve();
        });
    }),
  );
}
