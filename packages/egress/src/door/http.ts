/**
 * The HTTP of the egress's port: the upgrade to WebSocket at one path, CONNECT, and /healthz; also without TLS, behind
 * a proxy that ends it.
 * Rule: HTTP proves no identity. Frames flow only after a certificate was judged by us: that of the TLS around the
 * WebSocket, or that of the TLS inside it, which its first byte tells (no frame begins as a TLS handshake does).
 * Requests are bounded in size, and in time by the deadline of their connection.
 */
import http from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import { acceptInnerTls, handshakeByte } from '@adit/shared/carrier/inner-tls';
import { acceptUpgrade, answer } from '@adit/shared/carrier/websocket-server';
import { AditError } from '@adit/shared/errors';
import type { Logger } from '@adit/shared/observe/logger';
import { safeText } from '@adit/shared/observe/safe-text';
import type { Clients } from '../clients/clients.ts';
import { serveHttp1 } from '../connect/http1.ts';
import { type PlainAnswer, serveHttp2 } from '../connect/http2.ts';
import { attach } from '../session/attach.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Arrival, Origin } from './arrivals.ts';
import { firstByte } from './first-byte.ts';
import type { Turns } from './turns.ts';

export interface HttpContext {
  /** Where the upgrade to WebSocket is: "/.well-known/adit". */
  readonly wsPath: string;
  readonly clients: Clients;
  readonly sessions: Sessions;
  /** For the handshake inside a WebSocket. */
  readonly innerTls: () => tls.TlsOptions;
  /** When the handshake inside a WebSocket may begin. */
  readonly turns: Turns;
  readonly log: Logger;
}

const maxHeaderBytes = 16_384;

export class HttpDoor {
  readonly #context: HttpContext;
  readonly #origins = new WeakMap<Duplex, Origin>();
  readonly #server = http.createServer({
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: true,
  });

  constructor(context: HttpContext) {
    this.#context = context;
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('connect', (request, _socket, head) => this.#connect(request, head));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#malformed(error, socket));
  }

  /** Speaks HTTP on a connection from now on: HTTP/2 where ALPN says so, otherwise HTTP/1.1. */
  accept(socket: net.Socket, origin: Origin): void {
    const { proof } = origin;
    if (proof?.alpnProtocol === 'h2') {
      const { clients } = this.#context;
      serveHttp2({ ...origin, proof }, { clients, plain: (method, path) => this.#plain(method, path) });
      return;
    }
    this.#origins.set(socket, origin);
    this.#server.emit('connection', socket);
    if (socket.isPaused()) socket.resume(); // what was read before it, such as a PROXY header, paused it
  }

  #answer({ method = '', url = '' }: http.IncomingMessage, response: http.ServerResponse): void {
    const { status, text, headers } = this.#plain(method, url);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text), connection: 'close' });
    response.end(method === 'HEAD' ? undefined : text);
  }

  /** The answer to a request that is neither an upgrade nor CONNECT. */
  #plain(method: string, url: string): PlainAnswer {
    const say = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): PlainAnswer => ({
      status,
      text: `${text}\n`,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
    });
    const path = url.split('?', 1)[0];
    if (path === this.#context.wsPath)
      return say(426, 'this path is for WebSocket over HTTP/1.1', { upgrade: 'websocket' });
    if (path !== '/healthz') return say(404, 'there is nothing here');
    if (method !== 'GET' && method !== 'HEAD') return say(405, 'GET or HEAD', { allow: 'GET, HEAD' });
    return this.#context.clients.draining ? say(503, 'draining') : say(200, 'ok');
  }

  #connect(request: http.IncomingMessage, head: Buffer): void {
    const origin = this.#origins.get(request.socket);
    if (origin) serveHttp1({ request, head }, origin, this.#context.clients);
    else request.socket.destroy();
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const origin = this.#origins.get(request.socket); // `socket` is another one where a body was announced
    if (origin === undefined) {
      socket.destroy();
      return;
    }
    if (request.url?.split('?', 1)[0] !== this.#context.wsPath) {
      this.#log(origin, `an upgrade at ${safeText(request.url ?? '')}`);
      answer(socket, { status: '404 Not Found', reason: 'there is no WebSocket at this path' });
      return;
    }
    const refused = acceptUpgrade({ request, socket, head }, (duplex) => void this.#opened(origin, duplex));
    if (refused !== undefined) this.#log(origin, refused);
  }

  /** A WebSocket is open; never rejects. */
  async #opened({ arrival, proof }: Origin, duplex: Duplex): Promise<void> {
    try {
      const first = await firstByte(duplex);
      if (first === undefined) this.#log({ arrival }, 'the WebSocket closed before anything was sent');
      else if (first === handshakeByte) {
        const inner = await this.#innerTls(arrival, duplex);
        inner.allowHalfOpen = true;
        await attach(arrival, { kind: 'websocket+tls', duplex: inner, proof: inner }, this.#context);
      } else await attach(arrival, { kind: 'websocket', duplex, ...(proof && { proof }) }, this.#context);
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      this.#log({ arrival }, error.message);
      duplex.destroy();
    }
  }

  /** The handshake inside a WebSocket, when it is its turn. Rejects with LINK_LOST or LINK_TIMEOUT. */
  #innerTls(arrival: Arrival, duplex: Duplex): Promise<tls.TLSSocket> {
    const { turns, innerTls } = this.#context;
    return new Promise((resolve, reject) => {
      const closed = (): void => {
        takeBack();
        reject(new AditError('LINK_LOST', 'the WebSocket closed before its handshake began'));
      };
      duplex.once('close', closed);
      const takeBack = turns.take(arrival.source, () => {
        duplex.off('close', closed);
        acceptInnerTls(duplex, innerTls(), arrival.deadline.leftMs).then(resolve, reject);
      });
    });
  }

  #malformed({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const origin = this.#origins.get(socket);
    if (origin) this.#log(origin, `not an HTTP request (${code})`);
    const refusal =
      code === 'HPE_HEADER_OVERFLOW'
        ? {
            status: '431 Request Header Fields Too Large',
            reason: `the head of a request has at most ${maxHeaderBytes} bytes`,
          }
        : { status: '400 Bad Request', reason: 'this is not an HTTP request' };
    answer(socket, refusal);
  }

  #log({ arrival }: Origin, reason: string): void {
    this.#context.log.debug({ event: 'handshake', remote: arrival.remote, reason }, 'HTTP request refused');
  }
}
