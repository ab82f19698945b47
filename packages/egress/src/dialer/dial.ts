/**
 * From a host and port to one connected socket: resolve once, have every address judged, race those that passed.
 * Rule: the address checked is the address dialled: `connect` gets the literal that `permit` allowed, and nothing is
 * looked up twice. One deadline covers all of it. Whatever the outcome, no socket, timer or listener of a lost attempt
 * is left.
 * Not here: what is permitted (the policy), how the socket reads (its maker).
 */
import type { Socket } from 'node:net';
import { attempt } from '@adit/shared/net/attempt';
import { allFailed, dialError } from './failure.ts';
import { isLiteral, judge, judgedAddresses, type JudgedAddresses, type JudgeRequest } from './judged.ts';
import { Race } from './race.ts';

export interface DialRequest extends JudgeRequest {
  /** Makes a socket that is connecting to exactly this address; the dialer owns it until the promise resolves. */
  readonly connect: (address: string, port: number) => Socket;
}

export interface Dialled {
  readonly socket: Socket;
  readonly address: string;
  readonly rule: string;
}

/**
 * Dials. An address literal is dialled before the call returns. The socket is handed over connected, with nothing read
 * from it. Fails with DNS_FAILED, DNS_TIMEOUT, CONNECTION_REFUSED, HOST_UNREACHABLE, NETWORK_UNREACHABLE, DIAL_TIMEOUT,
 * OVERLOAD, PEER_GONE (the signal), or as `judge` does when no address passes.
 */
export async function dial(request: DialRequest): Promise<Dialled> {
  return raced(request, isLiteral(request) ? judge(request, [request.host]) : await judgedAddresses(request));
}

function raced(request: DialRequest, judged: JudgedAddresses): Promise<Dialled> {
  const { deadline, signal, connect, port } = request;
  const rules = new Map(judged.map(({ address, rule }) => [address, rule]));
  let race: Race | undefined;
  return attempt<Dialled>(
    {
      deadline,
      signal,
      timedOut: () => dialError('DIAL_TIMEOUT', request),
      aborted: () => dialError('PEER_GONE', request, signal?.reason),
      giveUp: () => race?.stop(),
    },
    ({ succeed, fail }) => {
      race = new Race([...rules.keys()], {
        connect,
        port,
        won: (socket, address) => succeed({ socket, address, rule: rules.get(address)! }),
        lost: (attempts) => fail(allFailed(request, attempts)),
      });
      race.start();
    },
  );
}
