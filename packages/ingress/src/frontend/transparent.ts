/**
 * The transparent front end: a firewall led the connection here, and its destination is the address that the program
 * dialled.
 * Rule: not a byte of the client is looked at. What was not on its way to somebody else is refused, never carried: a
 * connection straight to our port, and one of our own to the egress, which would come back to us for ever.
 * Not here: how the kernel is asked.
 */
import { AditError } from '@adit/shared/errors';
import { formatHostPort } from '@adit/shared/protocol/destination';
import type { Arrival, FrontEnd } from './contract.ts';

/** An address without brackets, and a port. */
interface Place {
  readonly host: string;
  readonly port: number;
}

export interface TransparentOptions {
  /** Where the connection was on its way to; where nothing led it here, where it arrived. */
  readonly originalOf: (arrival: Arrival) => Place;
  /** Is that one of our own transparent listeners? */
  readonly isListener: (place: Place) => boolean;
  /** Is that where this process connects to, as to an egress? */
  readonly isOutgoing: (place: Place) => boolean;
}

export function transparent({ originalOf, isListener, isOutgoing }: TransparentOptions): FrontEnd {
  return {
    ask({ arrival }) {
      if (arrival === undefined) throw new AditError('PEER_GONE', 'the client left before its destination was known');
      const original = originalOf(arrival);
      const place = formatHostPort(original.host, original.port);
      if (isListener(original))
        throw new AditError(
          'CLIENT_NOT_REDIRECTED',
          `the connection came straight to ${place}, where connections are only taken that a firewall redirects`,
        );
      if (isOutgoing(original))
        throw new AditError(
          'TRANSPARENT_LOOP',
          `${place} is where this ingress itself connects to: a rule of the firewall leads its own connections ` +
            'back to it',
        );
      return { carry: 'splice', frontEnd: 'transparent', destination: { kind: 'host', ...original } };
    },
  };
}
