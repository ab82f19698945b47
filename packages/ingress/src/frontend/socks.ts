/**
 * SOCKS 4, 4a and 5: the client names its destination in a handshake and gets the reply after the egress has dialled.
 * Rule: names go to the egress as names. No client is told of success before the egress has dialled. The reply to a
 * refusal comes from the table of codes.
 */
import { codes } from '@adit/shared/codes';
import { AditError, type Code } from '@adit/shared/errors';
import { drive } from '@adit/shared/net/drive';
import { awaitSocksRequest, maxSocksBytes, socksReply } from '@adit/shared/protocol/socks-server';
import type { Admits, SocksRequest } from '@adit/shared/protocol/socks5-server';
import type { FrontEnd, TurnedAway } from './contract.ts';

export interface SocksOptions {
  /** Judges user and password; absent: no password is needed. */
  readonly admits?: Admits;
  readonly deadlineMs: number;
}

const why = {
  credentials: 'CLIENT_UNAUTHENTICATED',
  command: 'CLIENT_UNSUPPORTED',
  destination: 'CLIENT_MALFORMED',
} as const satisfies Record<string, Code>;

export function socks({ admits, deadlineMs }: SocksOptions): FrontEnd {
  return {
    async ask({ duplex }) {
      const { value, rest } = await drive(duplex, awaitSocksRequest(admits), {
        deadlineMs,
        maxBytes: maxSocksBytes,
        peer: 'the SOCKS client',
        codes: { timeout: 'CLIENT_TIMEOUT', closed: 'PEER_GONE', garbage: 'CLIENT_MALFORMED' },
      });
      if (!value.ok) return turnedAway(value);
      if (rest.length > 0) duplex.unshift(rest);
      const { version, destination } = value;
      return {
        carry: 'splice',
        frontEnd: 'socks',
        destination,
        accepted: socksReply(version, 0),
        refused: ({ code }) => socksReply(version, codes[code].socks || 1),
      };
    },
  };
}

function turnedAway({ why: reason, reason: text, answer }: Extract<SocksRequest, { readonly ok: false }>): TurnedAway {
  return { error: new AditError(why[reason], `the SOCKS client is turned away: ${text}`), answer };
}
