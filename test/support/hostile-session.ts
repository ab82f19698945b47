/**
 * A client with a valid certificate that speaks our protocol and keeps none of its manners: a session as raw frames
 * over a real TLS connection, to an egress of any kind.
 * Rule: nothing is acknowledged, waited for or held back; what the egress answers is thrown away.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connectSession } from '@adit/shared/session/connect';
import type { Certificates, KeyPair } from './certificates.ts';
import { tlsCarrier } from './tls-carrier.ts';
import { tlsTo } from './wire.ts';

export interface HostileSession {
  readonly socket: Duplex;
  readonly closed: Promise<unknown>;
}

/** Attaches; rejects with the refusal of the egress. */
export async function hostileSession(port: number, files: Certificates, pair: KeyPair): Promise<HostileSession> {
  const socket = await tlsTo(port, files, pair);
  await connectSession(tlsCarrier(socket, 'egress'), { window: 262_144, agent: 'hostile', deadlineMs: 30_000 });
  const closed = once(socket, 'close');
  socket.resume();
  return { socket, closed };
}
