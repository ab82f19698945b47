/**
 * The transparent front end: a firewall redirects the connection here, and its destination is the address that the
 * program dialled.
 * Rule: it reads nothing of the client. Only a connection on its way to somebody else is carried. Refused are a
 * connection straight to our port, and one of our own to the egress, which would come back to us for ever.
 * Not here: asking the kernel (transparent/original-destination.ts).
 */
import { AditError } from '@adit/shared/errors';
import { formatHostPort, type HostPort } from '@adit/shared/protocol/destination';
import type { Arrival, FrontEnd } from './contract.ts';

export interface TransparentOptions {
  /** The address that the program dialled; if the connection was not redirected, the address where it arrived. */
  readonly originalOf: (arrival: Arrival) => HostPort;
  /** Is it one of our own transparent listeners? */
  readonly isListener: (at: HostPort) => boolean;
  /** Does this process itself connect to it, as to an egress? */
  readonly isOutgoing: (at: HostPort) => boolean;
}

export function transparent({ originalOf, isListener, isOutgoing }: TransparentOptions): FrontEnd {
  return {
    ask({ arrival }) {
      if (arrival === undefined) throw new AditError('PEER_GONE', 'the client left before its destination was known');
      const original = originalOf(arrival);
      const dialled = formatHostPort(original.host, original.port);
      if (isListener(original))
        throw new AditError(
          'CLIENT_NOT_REDIRECTED',
          `the connection came straight to ${dialled}, which takes only connections that a firewall redirects`,
        );
      if (isOutgoing(original))
        throw new AditError(
          'TRANSPARENT_LOOP',
          `this ingress itself connects to ${dialled}: a rule of the firewall redirects its own connections back to it`,
        );
      return { carry: 'splice', frontEnd: 'transparent', destination: { kind: 'host', ...original } };
    },
  };
}
