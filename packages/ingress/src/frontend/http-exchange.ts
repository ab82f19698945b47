/**
 * One HTTP request and its response: read from a client, sent to the service, answered to the client.
 * Rule: resolves when the client has the whole response and its connection is closed. Rejects if either side cut the
 * exchange, so that the client sees a reset: an orderly close would make half a response look whole. Bodies are never
 * held; the slower side sets the pace. Interim responses other than 100 Continue, and trailers, are not passed on.
 */
import http from 'node:http';
import { pipeline, type Duplex } from 'node:stream';
import { codes } from '@adit/shared/codes';
import { AditError, messageOf } from '@adit/shared/errors';
import { farewell } from '@adit/shared/net/farewell';
import {
  type AbsoluteTarget,
  hasContent,
  refusalResponse,
  requestFields,
  responseFields,
} from '@adit/shared/protocol/http-proxy';

export interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly target: AbsoluteTarget;
  /** The connection to the client, below `request` and `response`. */
  readonly duplex: Duplex;
  readonly service: Duplex;
}

export async function exchangeHttp(exchange: Exchange): Promise<void> {
  const { request, response, service, duplex } = exchange;
  const gone = new Promise<never>((_resolve, reject) => {
    duplex.once('close', () => reject(new AditError('PEER_GONE', 'the HTTP client left')));
  });
  gone.catch(() => {
    /* awaited below, and of no interest once the client has its response */
  });
  let answer: http.IncomingMessage;
  try {
    answer = await Promise.race([ask(exchange), gone]);
  } catch (error) {
    service.destroy();
    if (duplex.destroyed) throw cut(error);
    await farewell(duplex, failure(error, request.method === 'HEAD'));
    return;
  }
  try {
    await Promise.race([give(answer, response), gone]);
  } catch (error) {
    throw cut(error);
  }
  await Promise.all([farewell(duplex), farewell(service)]);
}

/** Forwards the request; resolves with the head of the final response. */
function ask({ request, response, target, service }: Exchange): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = http.request({
      method: request.method,
      path: target.origin,
      createConnection: () => service,
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: 65_536,
    });
    const fields = requestFields(request.rawHeaders, target.authority);
    for (let at = 0; at + 1 < fields.length; at += 2) asked.appendHeader(fields[at]!, fields[at + 1]!);
    if (request.headers['transfer-encoding'] !== undefined) asked.setHeader('Transfer-Encoding', 'chunked');
    asked
      .on('continue', () => response.writeContinue())
      .on('response', resolve)
      .on('error', reject);
    asked.on('upgrade', () =>
      reject(new AditError('PROTOCOL_ERROR', 'the service switches to a protocol that the client did not ask for')),
    );
    if (!hasContent(request.rawHeaders)) asked.end();
    else {
      // A failure here needs no handling: either the client closed, which `gone` sees, or the service has answered
      // already and stopped reading.
      asked.flushHeaders(); // a client that expects 100 Continue sends no content before the service has seen them
      pipeline(request, asked, () => {});
    }
  });
}

function give(answer: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const coding = answer.headers['transfer-encoding']?.toLowerCase();
  if (coding !== undefined && coding !== 'chunked')
    return Promise.reject(
      new AditError('PROTOCOL_ERROR', 'the service answers in a transfer coding that the client did not ask for'),
    );
  response.sendDate = false;
  response.writeHead(answer.statusCode!, answer.statusMessage, responseFields(answer.rawHeaders));
  return new Promise((resolve, reject) => {
    pipeline(answer, response, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function cut(error: unknown): AditError {
  return error instanceof AditError
    ? error
    : new AditError('CONNECTION_RESET', `the HTTP exchange was cut: ${messageOf(error)}`, { cause: error });
}

/** The response to the client if the service sent none. */
function failure(error: unknown, head: boolean): Uint8Array {
  const code = error instanceof AditError ? error.code : 'CONNECTION_RESET';
  const parse = (error as NodeJS.ErrnoException).code?.startsWith('HPE_') === true;
  const { http: status, advice } = codes[code];
  return refusalResponse({
    status: status >= 500 ? status : 502,
    proxyStatus: parse ? 'http_protocol_error' : codes[code].proxyStatus,
    code,
    head,
    reason: parse
      ? `the service does not answer in HTTP/1.1: ${messageOf(error)}`
      : `the service gave no answer: ${messageOf(error)}`,
    advice,
  });
}
