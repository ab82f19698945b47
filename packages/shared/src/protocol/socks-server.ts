/**
 * SOCKS as a server, in the version that the client's first byte names.
 * Rule: as for each version: consumes exactly the request; the bytes after it are `rest`.
 * Not here: SOCKS as a client (socks5-client.ts).
 */
import type { Handshake, Step } from './handshake.ts';
import { awaitSocks4Request, socks4Reply } from './socks4-server.ts';
import { awaitSocks5Request, socks5Reply, type Admits, type SocksRequest } from './socks5-server.ts';

/** The most that a client may send: greeting, user and password, and the longest request; bytes. */
export const maxSocksBytes = 2 + 255 + 3 + 255 + 255 + 4 + 1 + 255 + 2;

/** `admits` judges user and password; without it no client is asked for them. */
export function awaitSocksRequest(admits?: Admits): Handshake<SocksRequest> {
  let chosen: Handshake<SocksRequest> | undefined;
  return {
    receive(chunk): Step<SocksRequest> {
      const [version] = chunk;
      if (chosen === undefined && version === undefined) return { state: 'more' };
      if (chosen === undefined && version !== 4 && version !== 5)
        return { state: 'failed', reason: `a first byte of ${version}, but SOCKS begins with 4 or 5` };
      chosen ??=
        version === 4 ? awaitSocks4Request({ passwordAsked: admits !== undefined }) : awaitSocks5Request(admits);
      return chosen.receive(chunk);
    },
  };
}

/** The answer to a valid request. `reply` is REP of RFC 1928 section 6; SOCKS4 knows only success (0) and failure. */
export function socksReply(version: 4 | 5, reply: number): Uint8Array {
  return version === 5 ? socks5Reply(reply) : socks4Reply(reply === 0);
}
