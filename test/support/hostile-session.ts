/**
 * A client with a valid certificate that speaks our protocol and keeps none of its manners: a session as raw frames
 * over a real TLS connection, to an egress of any kind.
 * Rule: nothing is acknowledged, waited for or held back; what the egress answers is thrown away.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { encodeRefusal, wireCode } from '@adit/shared/protocol/refusal';
import { encodeFrame, frameType } from '@adit/shared/protocol/mux/frame';
import { encodeOpen } from '@adit/shared/protocol/open';
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

/** OPEN of stream `id`, as a forward of an ingress sends it. */
export function openFrame(id: number, { host, port }: { readonly host: string; readonly port: number }): Uint8Array {
  return encodeFrame(
    frameType.open,
    id,
    encodeOpen({ destination: { kind: 'host', host, port }, frontEnd: 'forward' }),
  );
}

/** RESET of stream `id`. */
export function resetFrame(id: number): Uint8Array {
  return encodeFrame(frameType.reset, id, encodeRefusal({ code: wireCode.noError, reason: '' }));
}
