/**
 * What a CONNECT egress opens streams on, while it lasts. Types, and what its two forms share.
 * Rule: a destination is asked for as HOST:PORT; a service of an Adit egress by the host that stands for it.
 */
import { AditError } from '@adit/shared/errors';
import { formatHostPort, serviceHostSuffix } from '@adit/shared/protocol/destination';
import { decodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';

export interface Tunnels extends StreamOpener {
  /** Open streams. */
  readonly streams: number;
  /** Resolves with the reason when it opens no more. */
  readonly gone: Promise<string>;
  /** Opens no more; those that are open go on. */
  leave(reason: string): void;
  /** Resets what is open. */
  end(): void;
  /** Is the other side still there? Asked now. */
  doubt(): void;
}

/** How long a proxy may take to dial and answer, ms. */
export const answerWithinMs = 60_000;
const servicePort = 80;

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly authority: string;
}

/** The target that an OPEN asks for. */
export function targetOf(payload: Uint8Array): Target {
  const decoded = decodeOpen(payload);
  if (!decoded.ok) throw new AditError('PROTOCOL_ERROR', decoded.reason);
  const { destination } = decoded.request;
  if (destination.kind === 'host' && destination.tls)
    throw new AditError(
      'UNSUPPORTED',
      `${formatHostPort(destination.host, destination.port)} cannot be asked for over TLS: a CONNECT proxy ` +
        'speaks none with it.',
    );
  const { host, port } =
    destination.kind === 'host'
      ? destination
      : { host: `${destination.service}${serviceHostSuffix}`, port: servicePort };
  return { host, port, authority: formatHostPort(host, port) };
}
