/**
 * SOCKS and HTTP proxy on one port: the first byte tells which.
 * Rule: it is looked at and put back. 4 and 5 begin SOCKS, a letter a request of HTTP; anything else is no client of a proxy.
 */
import { AditError, drive, type Handshake } from '@adit/shared';
import type { FrontEnd } from './contract.ts';

export interface MixedOptions { readonly socks: FrontEnd; readonly http: FrontEnd; readonly deadlineMs: number }

const tlsHandshake = 22;

export function mixed({ socks, http, deadlineMs }: MixedOptions): FrontEnd {
  return {
    async ask(client) {
      const { duplex } = client;
      const { value: first, rest } = await drive(duplex, firstByte(), { deadlineMs, maxBytes: 1, peer: 'the client', codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' } });
      duplex.unshift(rest);
      if (first === 4 || first === 5) return socks.ask(client);
      if (isLetter(first)) return http.ask(client);
      throw new AditError('CLIENT_MALFORMED', first === tlsHandshake ? 'the client speaks TLS: this is a proxy without TLS (write http:// where the client wants the address of its proxy)' : `the client begins with a byte of ${first}, neither SOCKS nor HTTP`);
    },
  };
}

function firstByte(): Handshake<number> {
  return { receive: (chunk) => (chunk.length === 0 ? { state: 'more' } : { state: 'done', value: chunk[0]!, rest: chunk }) };
}

function isLetter(byte: number): boolean { return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a); }
