/**
 * SOCKS and HTTP proxy on one port, and TLS routed by name if there are routes: the first byte tells which.
 * Rule: the byte is read and put back. 4 and 5 begin SOCKS, a letter begins HTTP, 22 begins TLS. Anything else is
 * refused.
 */
import { AditError } from '@adit/shared/errors';
import { drive } from '@adit/shared/net/drive';
import { tlsHandshakeByte } from '@adit/shared/protocol/client-hello';
import type { Handshake } from '@adit/shared/protocol/handshake';
import type { FrontEnd } from './contract.ts';

export interface MixedOptions {
  readonly socks: FrontEnd;
  readonly http: FrontEnd;
  /** Absent: TLS clients are refused. */
  readonly tls?: FrontEnd;
  readonly deadlineMs: number;
}

export function mixed({ socks, http, tls, deadlineMs }: MixedOptions): FrontEnd {
  return {
    async ask(client) {
      const { duplex } = client;
      const { value: first, rest } = await drive(duplex, firstByte(), {
        deadlineMs,
        maxBytes: 1,
        peer: 'the client',
        codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
      });
      duplex.unshift(rest);
      if (first === 4 || first === 5) return socks.ask(client);
      if (isLetter(first)) return http.ask(client);
      if (first === tlsHandshakeByte && tls) return tls.ask(client);
      throw new AditError(
        'CLIENT_MALFORMED',
        first === tlsHandshakeByte
          ? 'the client speaks TLS, and this proxy does not (give the client an http:// address for its proxy, or ' +
              'route TLS by name with --sni-route)'
          : `the first byte of the client is ${first}, which is neither SOCKS nor HTTP`,
      );
    },
  };
}

function firstByte(): Handshake<number> {
  return {
    receive: (chunk) => (chunk.length === 0 ? { state: 'more' } : { state: 'done', value: chunk[0]!, rest: chunk }),
  };
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
