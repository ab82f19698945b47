/**
 * An HTTP proxy: CONNECT, and requests for http:// URIs. Each client connection carries one request and is closed
 * after its response, or becomes the tunnel.
 * Rule: a client is told of success only after the egress has dialled. A request is forwarded alone, on its own stream
 * to the host that it names: nothing that follows it on its connection can reach another host. A response that was cut
 * is a reset, never an end. node:http parses messages on both sides, strictly, and what is forwarded is written anew
 * (protocol/http-proxy.ts defines how).
 * Not here: caching, keep-alive (and with it NTLM to the service: use CONNECT), Upgrade (WebSocket clients use
 * CONNECT).
 */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { codes } from '@adit/shared/codes';
import { type AdvisedRefusal, AditError } from '@adit/shared/errors';
import { seconds } from '@adit/shared/observe/seconds';
import {
  absoluteTarget,
  ambiguity,
  basicUser,
  connectAccepted,
  connectTarget,
  refusalResponse,
} from '@adit/shared/protocol/http-proxy';
import type { Admits } from '@adit/shared/protocol/socks5-server';
import type { Ask, FrontEnd, TurnedAway } from './contract.ts';
import { exchangeHttp } from './http-exchange.ts';

export interface HttpProxyOptions {
  /** Judges user and password; absent: no password is needed. */
  readonly admits?: Admits;
  readonly deadlineMs: number;
}

type Answer = (asked: Ask | TurnedAway) => void;
type Reason = AdvisedRefusal;

const maxHeadBytes = 65_536;
const tooLong = 'HPE_HEADER_OVERFLOW';

export function httpProxy(options: HttpProxyOptions): FrontEnd {
  const door = new HttpProxyDoor(options);
  return { ask: ({ duplex }) => door.ask(duplex) };
}

class HttpProxyDoor {
  readonly #options: HttpProxyOptions;
  /** Connections whose request has not been read yet. */
  readonly #waiting = new Map<Duplex, Answer>();
  readonly #server = http.createServer({
    maxHeaderSize: maxHeadBytes,
    insecureHTTPParser: false,
    requireHostHeader: false,
  });

  constructor(options: HttpProxyOptions) {
    this.#options = options;
    // A client that has ended its half still waits for the response; without this Node ends the other half as well.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    const request = (asked: http.IncomingMessage, response: http.ServerResponse): void =>
      this.#request(asked, response);
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) this.#server.on(event, request);
    this.#server.on('connect', (asked, duplex, head) => this.#connect(asked, duplex, head));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, duplex) => this.#malformed(error, duplex));
  }

  ask(duplex: Duplex): Promise<Ask | TurnedAway> {
    const { deadlineMs } = this.#options;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(duplex);
        duplex.off('close', left).off('end', left);
      };
      const left = (): void => {
        stop();
        reject(new AditError('PEER_GONE', 'the HTTP client closed the connection'));
      };
      const timer = setTimeout(() => {
        stop();
        resolve(turnedAway({ code: 'CLIENT_TIMEOUT', reason: `no whole request within ${seconds(deadlineMs)}` }));
      }, deadlineMs);
      this.#waiting.set(duplex, (asked) => {
        stop();
        resolve(asked);
      });
      duplex.on('close', left).on('end', left);
      this.#server.emit('connection', duplex);
      duplex.resume(); // it is paused if its first byte was read
    });
  }

  #connect(request: http.IncomingMessage, duplex: Duplex, head: Buffer): void {
    const answer = this.#waiting.get(duplex);
    if (answer === undefined) return;
    duplex.pause();
    const refusal = this.#judge(request, true);
    const target = connectTarget(request.url ?? '');
    if (refusal) answer(refusal);
    else if (!target.ok) answer(turnedAway({ code: 'CLIENT_MALFORMED', reason: target.reason }));
    else {
      if (head.length > 0) duplex.unshift(head);
      answer({
        carry: 'splice',
        frontEnd: 'http',
        destination: target.value,
        accepted: connectAccepted,
        refused: (no) => refusalOf(no),
      });
    }
  }

  #request(request: http.IncomingMessage, response: http.ServerResponse): void {
    const duplex = request.socket as Duplex;
    const answer = this.#waiting.get(duplex);
    if (answer === undefined) return; // a second request on the connection gets no response
    const method = request.method ?? '';
    const refusal = this.#judge(request, false);
    const target = absoluteTarget(method, request.url ?? '');
    const head = method === 'HEAD';
    if (refusal) answer(refusal);
    else if (!target.ok) answer(turnedAway({ code: 'CLIENT_MALFORMED', reason: target.reason }, { head }));
    else {
      const { destination } = target.value;
      answer({
        carry: 'exchange',
        frontEnd: 'http',
        destination,
        refused: (no) => refusalOf(no, { head }),
        exchange: (service) => exchangeHttp({ request, response, service, target: target.value, duplex }),
      });
    }
  }

  /** Refuses a request that is ambiguous or unsupported, or whose user may not use the proxy. */
  #judge(request: http.IncomingMessage, connect: boolean): TurnedAway | undefined {
    const { httpVersion: version, rawHeaders: fields } = request;
    const { admits } = this.#options;
    const head = request.method === 'HEAD';
    const reason = ambiguity({ version, connect, fields });
    if (reason !== undefined) return turnedAway({ code: 'CLIENT_MALFORMED', reason }, { head });
    const expected = request.headers.expect;
    if (expected !== undefined && expected.toLowerCase() !== '100-continue')
      return turnedAway(
        { code: 'CLIENT_UNSUPPORTED', reason: 'the only expectation supported is 100-continue' },
        { head, status: 417 },
      );
    if (admits === undefined) return undefined;
    const named = basicUser(fields);
    if (named && admits(named.user, named.password)) return undefined;
    return turnedAway(
      {
        code: 'CLIENT_UNAUTHENTICATED',
        reason: named ? 'wrong user or password' : 'it sends no user and password, and this proxy requires them',
      },
      { head },
    );
  }

  #malformed({ code, message }: NodeJS.ErrnoException, duplex: Duplex): void {
    const answer = this.#waiting.get(duplex);
    if (answer === undefined) duplex.destroy(); // the content of a request that is being forwarded is malformed
    else if (code === tooLong)
      answer(
        turnedAway(
          { code: 'CLIENT_MALFORMED', reason: `the head of the request is longer than ${maxHeadBytes} bytes` },
          { status: 431 },
        ),
      );
    else answer(turnedAway({ code: 'CLIENT_MALFORMED', reason: `not a request of HTTP/1.1: ${message}` }));
  }
}

interface Manner {
  readonly head?: boolean;
  readonly status?: number;
}

function turnedAway({ code, reason }: Reason, manner: Manner = {}): TurnedAway {
  return {
    error: new AditError(code, `the HTTP client is turned away: ${reason}`),
    answer: refusalOf({ code, reason }, manner),
  };
}

/** The response for a code of the table. */
export function refusalOf(
  { code, reason, advice = codes[code].advice }: Reason,
  { head = false, status }: Manner = {},
): Uint8Array {
  const { http: usual, proxyStatus } = codes[code];
  return refusalResponse({ status: status ?? (usual >= 400 ? usual : 502), proxyStatus, code, reason, advice, head });
}
