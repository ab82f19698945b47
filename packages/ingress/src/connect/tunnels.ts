/**
 * What a CONNECT egress opens streams on, over HTTP/1.1 or HTTP/2, and what both ask for.
 * Rule: a destination is asked for as HOST:PORT, a service of an Adit egress by the host name that stands for it.
 */
import { AditError } from '@adit/shared/errors';
import { formatHostPort, type HostPort, serviceHostSuffix } from '@adit/shared/protocol/destination';
import { decodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';

export interface Tunnels extends StreamOpener {
  /** Open streams. */
  readonly streams: number;
  /** Resolves with the reason when no more streams can be opened. */
  readonly gone: Promise<string>;
  /** Opens no more streams; open ones go on. */
  leave(reason: string): void;
  /** Resets the open streams. */
  end(): void;
  /** Probes the other side now. */
  doubt(): void;
}

/** How long the proxy may take to dial and to answer, ms. */
export const answerWithinMs = 60_000;
const servicePort = 80;

export interface Target extends HostPort {
  readonly authority: string;
}

/** The target of an OPEN payload. Throws PROTOCOL_ERROR, or UNSUPPORTED for a destination over TLS. */
export function targetOf(payload: Uint8Array): Target {
  const decoded = decodeOpen(payload);
  if (!decoded.ok) throw new AditError('PROTOCOL_ERROR', decoded.reason);
  const { destination } = decoded.request;
  if (destination.kind === 'host' && destination.tls)
    throw new AditError(
      'UNSUPPORTED',
      `a CONNECT proxy cannot speak TLS with ${formatHostPort(destination.host, destination.port)} for its client`,
    );
  const { host, port } =
    destination.kind === 'host'
      ? destination
      : { host: `${destination.service}${serviceHostSuffix}`, port: servicePort };
  return { host, port, authority: formatHostPort(host, port) };
}
