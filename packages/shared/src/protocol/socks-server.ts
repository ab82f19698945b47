/**
 * SOCKS as a server, in the version of the client's first byte.
 * Rule: as for each version: exactly the request is consumed, what follows is `rest`.
 */
import type { Handshake, Step } from './handshake.ts';
import { awaitSocks4Request, socks4Reply } from './socks4-server.ts';
import { awaitSocks5Request, socks5Reply, type Admits, type SocksRequest } from './socks5-server.ts';

/** The most that a client may have to say: greeting, user and password, and the longest request. */
export const maxSocksBytes = 2 + 255 + 3 + 255 + 255 + 4 + 1 + 255 + 2;

/** `admits` judges user and password; absent: nobody is asked. */
export function awaitSocksRequest(admits?: Admits): Handshake<SocksRequest> {
  let chosen: Handshake<SocksRequest> | undefined;
  return {
    receive(chunk): Step<SocksRequest> {
      const [version] = chunk;
      if (chosen === undefined && version === undefined) return { state: 'more' };
      if (chosen === undefined && version !== 4 && version !== 5)
        return { state: 'failed', reason: `a first byte of ${version}, where SOCKS begins with 4 or 5` };
      chosen ??=
        version === 4 ? awaitSocks4Request({ passwordAsked: admits !== undefined }) : awaitSocks5Request(admits);
      return chosen.receive(chunk);
    },
  };
}

/** The answer to a good request. `reply` is REP of RFC 1928 section 6, of which SOCKS4 knows only yes (0) and no. */
export function socksReply(version: 4 | 5, reply: number): Uint8Array {
  return version === 5 ? socks5Reply(reply) : socks4Reply(reply === 0);
}
