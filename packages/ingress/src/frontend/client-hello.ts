/**
 * The first words of a TLS client, for the front ends that read them, and the alerts that they owe it.
 * Rule: every byte that was read is in `hello`: whoever goes on with this client starts with it. An alert before the
 * handshake is in the clear, as TLS has it, so that the client can say what was wrong.
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

/** Reads the ClientHello. Rejects with CLIENT_TIMEOUT, PEER_GONE. */
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
        reason: `no ClientHello that can be understood: ${value.reason}`,
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

/** For a client that there is no connection for: whether somebody decided so, or it did not work. */
export function alertFor(code: Code): Uint8Array {
  return tlsAlert(codes[code].origin === 'policy' && !codes[code].retryable ? 'accessDenied' : 'internalError');
}
