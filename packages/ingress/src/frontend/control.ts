/**
 * The control socket: `adit connect` asks for a destination, and its standard input and output are joined to a stream
 * of this session.
 * Rule: whoever may connect to the socket may ask; the mode of the socket is the only lock. The client gets the code
 * and the reason of a refusal as they are. A connection that breaks never looks like one that is complete.
 */
import type { Duplex } from 'node:stream';
import { AditError } from '@adit/shared/errors';
import { drive } from '@adit/shared/net/drive';
import { joinEnds } from '@adit/shared/net/join';
import { awaitControlRequest, controlAccepted, controlReset, maxControlBytes } from '@adit/shared/protocol/control';
import { parseAnyDestination } from '@adit/shared/protocol/destination';
import { ControlDuplex } from './control-duplex.ts';
import type { FrontEnd } from './contract.ts';

export function control({ deadlineMs }: { readonly deadlineMs: number }): FrontEnd {
  return {
    async ask({ duplex }) {
      const { value: wanted } = await drive(duplex, awaitControlRequest(), {
        deadlineMs,
        maxBytes: maxControlBytes,
        putBack: true,
        peer: 'the client of the control socket',
        codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
      });
      const destination = parseAnyDestination(wanted);
      if (!destination.ok) {
        const error = new AditError(
          'CLIENT_MALFORMED',
          `the client of the control socket asks for an invalid destination: ${destination.reason}`,
        );
        return { error, answer: controlReset(error.code, error.message) };
      }
      return {
        carry: 'exchange',
        frontEnd: 'stdio',
        destination: destination.value,
        accepted: controlAccepted,
        refused: ({ code, reason }) => controlReset(code, reason),
        exchange: (service) => exchange(duplex, service),
      };
    },
  };
}

/** Resolves when the connection to the client is closed: both halves have ended, or the client was sent the reason. */
async function exchange(client: Duplex, service: Duplex): Promise<void> {
  const framed = new ControlDuplex(client, 'the client');
  await joinEnds({ input: framed, output: framed }, service).catch((error: unknown) => {
    if (!(error instanceof AditError)) throw error;
  });
  if (!client.closed)
    await new Promise<void>((resolve) => {
      client.once('close', resolve);
    });
}
