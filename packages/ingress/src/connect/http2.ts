/**
 * CONNECT of HTTP/2 as a client: all streams on one TLS connection (RFC 9113 section 8.5).
 * Rule: the bytes of a stream follow its 2xx, as over HTTP/1.1. After GOAWAY no more streams are opened, and open ones
 * go on. A connection that does not answer a PING is closed, and its streams with it.
 */
import http2 from 'node:http2';
import { denial } from '@adit/shared/carrier/connect-denial';
import type { ProvenConnection } from '@adit/shared/carrier/proven-tls';
import { AditError, wireOfCode } from '@adit/shared/errors';
import { attempt } from '@adit/shared/net/attempt';
import { Deadline } from '@adit/shared/net/deadline';
import { endOnlyInOrder, resetHttp2 } from '@adit/shared/net/http2-end';
import { http2PeerEnd, type PeerEnd } from '@adit/shared/net/peer-end';
import { seconds } from '@adit/shared/observe/seconds';
import { ConnectionStream } from '@adit/shared/stream/connection-stream';
import type { RelayStream } from '@adit/shared/stream/contract';
import { PendingStream } from '@adit/shared/stream/pending-stream';
import { ProxySilence } from './proxy-silence.ts';
import { answerWithinMs, targetOf, type Tunnels } from './tunnels.ts';

const streamWindowBytes = 1_048_576;
const connectionWindowBytes = 16_777_216;
const maxSessionMemoryMb = 64;
const pingEveryMs = 10_000;
const deadAfterMs = 10_000;
/** As deadAfterMs, after a network change. */
const doubtDeadAfterMs = 3_000;
const { NGHTTP2_CONNECT_ERROR, NGHTTP2_CANCEL } = http2.constants;

export interface Http2TunnelsOptions {
  readonly name: string;
  readonly deadline: Deadline;
  /** Called when the proxy owes an answer for too long, and when it answers again. */
  readonly doubted?: () => void;
  readonly answers?: () => void;
}

export class Http2Tunnels implements Tunnels {
  readonly gone: Promise<string>;
  readonly #session: http2.ClientHttp2Session;
  readonly #pings: NodeJS.Timeout;
  readonly #silence: ProxySilence;
  #resolveGone!: (reason: string) => void;
  #over = false;
  #streams = 0;

  /** Resolves when the settings of the proxy arrive. Rejects with LINK_LOST or LINK_TIMEOUT. */
  static open({ socket }: ProvenConnection, options: Http2TunnelsOptions): Promise<Http2Tunnels> {
    const { name, deadline } = options;
    socket.allowHalfOpen = false; // only streams half-close
    const session = http2.connect(`https://${name}`, {
      createConnection: () => socket,
      maxSessionMemory: maxSessionMemoryMb,
      settings: { initialWindowSize: streamWindowBytes, maxFrameSize: 65_536, enablePush: false },
    });
    const lost = (what: string, cause?: Error): AditError =>
      new AditError('LINK_LOST', `the proxy ${name} ${what}`, { cause });
    return attempt<Http2Tunnels>(
      {
        deadline,
        timedOut: () =>
          new AditError('LINK_TIMEOUT', `the proxy ${name} did not answer within ${seconds(deadline.totalMs)}`),
        giveUp: () => session.destroy(),
      },
      ({ succeed, fail }) => {
        session.on('error', (error: Error) => fail(lost(`broke the connection (${error.message})`, error)));
        session.once('close', () => fail(lost('closed the connection')));
        session.once('remoteSettings', () => {
          session.setLocalWindowSize(connectionWindowBytes);
          succeed(new Http2Tunnels(session, options));
        });
      },
    );
  }

  private constructor(session: http2.ClientHttp2Session, { doubted, answers }: Http2TunnelsOptions) {
    this.#session = session;
    this.#silence = new ProxySilence({
      begins: () => doubted?.(),
      ends: () => answers?.(),
      ping: (told) => {
        if (!session.destroyed)
          session.ping((error, durationMs) => {
            if (!error) told(durationMs);
          });
      },
    });
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    session.on('goaway', () => this.leave('the proxy sent GOAWAY'));
    session.once('close', () => {
      clearInterval(this.#pings);
      this.#silence.stop();
      this.leave('the connection to the proxy broke');
    });
    this.#pings = setInterval(() => this.#ping(deadAfterMs), pingEveryMs).unref();
  }

  get over(): boolean {
    return this.#over;
  }
  get streams(): number {
    return this.#streams;
  }
  get doubted(): boolean {
    return this.#silence.doubted;
  }
  get silent(): boolean {
    return this.#silence.silent;
  }

  open(payload: Uint8Array): RelayStream {
    const giveUp = new AbortController();
    const request = this.#session.request(
      { ':method': 'CONNECT', ':authority': targetOf(payload).authority },
      { endStream: false, waitForTrailers: true },
    );
    this.#streams++;
    request.once('close', () => {
      this.#streams--;
      this.#settle();
    });
    giveUp.signal.addEventListener(
      'abort',
      () => {
        if (!request.closed) request.close(NGHTTP2_CANCEL);
      },
      { once: true },
    );
    return new PendingStream(request.id ?? 0, this.#awaited(request), giveUp);
  }

  /** Waits for the answer; meanwhile the proxy owes one. */
  #awaited(request: http2.ClientHttp2Stream): Promise<RelayStream> {
    let heard = false;
    request.once('response', () => {
      heard = true;
    });
    this.#silence.requested();
    return answered(request).finally(() => this.#silence.settled(heard));
  }

  leave(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#resolveGone(reason);
    this.#settle();
  }

  end(): void {
    this.leave('the ingress stops');
    this.#session.destroy();
  }

  doubt(): void {
    this.#ping(doubtDeadAfterMs);
  }

  /** After GOAWAY or a swap, closes the connection with its last stream. */
  #settle(): void {
    if (this.#over && this.#streams === 0 && !this.#session.destroyed) this.#session.close();
  }

  #ping(withinMs: number): void {
    if (this.#session.destroyed) return;
    const timer = setTimeout(() => this.#session.destroy(), withinMs).unref();
    if (
      !this.#session.ping((error) => {
        if (!error) clearTimeout(timer);
      })
    )
      clearTimeout(timer); // too many PINGs are unanswered: the first of them decides
  }
}

/** Waits for the answer to a CONNECT. */
function answered(request: http2.ClientHttp2Stream): Promise<RelayStream> {
  endOnlyInOrder(request);
  const peerEnd = http2PeerEnd(request);
  request.on('error', () => {
    /* arrives with `close` */
  });
  return attempt<RelayStream>(
    {
      deadline: new Deadline(answerWithinMs),
      timedOut: () => new AditError('DIAL_TIMEOUT', `the proxy did not answer within ${seconds(answerWithinMs)}`),
      giveUp: () => {
        if (!request.closed) request.close(NGHTTP2_CANCEL);
      },
    },
    ({ succeed, fail }) => {
      request.once('close', () => fail(new AditError('LINK_LOST', 'the proxy reset the request')));
      request.once('response', (headers) => {
        const status = headers[':status'] ?? 0;
        const proxyStatus = headers['proxy-status'];
        if (status >= 200 && status <= 299) succeed(streamOf(request, peerEnd));
        else fail(denial(status, Array.isArray(proxyStatus) ? proxyStatus.join(', ') : proxyStatus));
      });
    },
  );
}

function streamOf(request: http2.ClientHttp2Stream, peerEnd: PeerEnd): ConnectionStream {
  const { session } = request; // the stream forgets it when it is destroyed
  const lost = (): boolean => session?.destroyed !== false;
  return new ConnectionStream(request, {
    id: request.id ?? 0,
    accept: () => {
      /* nothing to accept: this end asked for it */
    },
    refuse: () => resetHttp2(request),
    reset: () => resetHttp2(request),
    died: () =>
      request.rstCode === NGHTTP2_CONNECT_ERROR
        ? { code: wireOfCode('CONNECTION_RESET'), reason: 'the far side reset the connection' }
        : lost()
          ? { code: wireOfCode('LINK_LOST'), reason: 'the connection to the proxy broke' }
          : { code: wireOfCode('PEER_GONE'), reason: 'the proxy reset the stream' },
    peerEnd,
  });
}
