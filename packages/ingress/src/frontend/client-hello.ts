/**
 * Reads the ClientHello for the front ends that need it, and has the alerts that refuse a TLS client.
 * Rule: `hello` has every byte that was read, and whoever reads on starts with it. An alert before the handshake is
 * sent in the clear, as TLS defines it, so that the client can report what is wrong.
 */
import { codes } from '@adit/shared/codes';
import { AditError, type Code } from '@adit/shared/errors';
import { drive } from '@adit/shared/net/drive';
import { awaitClientHello, maxClientHelloBytes, tlsAlert, type TlsAlert } from '@adit/shared/protocol/client-hello';
import type { Client, TurnedAway } from './contract.ts';

export interface Greeting {
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  readonly hello: Uint8Array;
}

/** Reads the ClientHello. Rejects with CLIENT_TIMEOUT or PEER_GONE. */
export async function readGreeting({ duplex }: Client, deadlineMs: number): Promise<Greeting | TurnedAway> {
  const { value, rest } = await drive(duplex, awaitClientHello(), {
    deadlineMs,
    maxBytes: maxClientHelloBytes,
    peer: 'the TLS client',
    codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
  });
  return value.ok
    ? { serverName: value.serverName, alpn: value.alpn, hello: rest }
    : turnedAway({
        code: 'CLIENT_MALFORMED',
        reason: `its ClientHello is not usable: ${value.reason}`,
        alert: value.alert,
      });
}

export function turnedAway({
  code,
  reason,
  alert,
}: {
  readonly code: Code;
  readonly reason: string;
  readonly alert: TlsAlert;
}): TurnedAway {
  return { error: new AditError(code, `the TLS client is turned away: ${reason}`), answer: tlsAlert(alert) };
}

/** The alert for a client that gets no connection: access_denied if a policy denies it, else internal_error. */
export function alertFor(code: Code): Uint8Array {
  return tlsAlert(codes[code].origin === 'policy' && !codes[code].retryable ? 'accessDenied' : 'internalError');
}
