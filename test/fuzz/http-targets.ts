/** Targets in the HTTP of the egress: what a CONNECT asks for, over which hops it came, and how it is refused. */
import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { formatDestination, parseDestination } from '@adit/shared/protocol/destination';
import { WebSocketDecoder, WebSocketFault } from '@adit/shared/protocol/websocket';
import { refusalAnswer } from '../../packages/egress/src/connect/answer.ts';
import { readHttp1 } from '../../packages/egress/src/connect/http1.ts';
import { readHttp2 } from '../../packages/egress/src/connect/http2.ts';
import { hopsOf, loopOf, maxHops, viaHeader } from '../../packages/egress/src/via-header.ts';
import type { Target } from './input.ts';

const target = fc.oneof(fc.string(), fc.stringMatching(/^[\][a-z0-9.:%@-]{0,40}$/), fc.constant('db.internal:5432'));
const field = fc.tuple(
  fc.constantFrom('Host', 'host', 'Via', 'Content-Length', 'Transfer-Encoding', 'x'),
  fc.oneof(target, fc.string()),
);

export const httpTargets: readonly Target[] = [
  {
    name: 'connect-request',
    share: 0.3,
    property: () =>
      fc.property(target, fc.array(field, { maxLength: 4 }), (url, fields) => {
        const headers = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
        const request = Object.assign(new IncomingMessage(new Socket()), { url });
        request.rawHeaders = fields.flat();
        request.headers = headers;
        for (const asked of [readHttp1(request), readHttp2({ ...headers, ':authority': url })]) {
          if (!asked.ok) continue;
          assert.deepEqual(parseDestination(formatDestination(asked.value)), asked);
          assert(headers['content-length'] === undefined, 'a CONNECT with a body is carried out');
        }
      }),
  },
  {
    name: 'websocket',
    share: 1,
    property: () =>
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.boolean(), fc.nat(20), (bytes, server, size) => {
        const told = (piece: number): string => {
          const events: string[] = [];
          const end = server ? 'server' : 'client';
          const sink = {
            data: (payload: Uint8Array) => events.push(Buffer.from(payload).toString('hex')),
            ping: (payload: Uint8Array) => events.push(` ping ${Buffer.from(payload).toString('hex')} `),
            close: (code: number) => events.push(` close ${code} `),
          };
          const decoder = new WebSocketDecoder(sink, end);
          try {
            for (let at = 0; at < bytes.length; at += piece) decoder.receive(bytes.slice(at, at + piece));
          } catch (error) {
            if (!(error instanceof WebSocketFault)) throw error;
            events.push(` fault ${error.message}`);
          }
          return events.join('');
        };
        assert.equal(told(size + 1), told(500));
      }),
  },
  {
    name: 'via',
    share: 1,
    property: () =>
      fc.property(fc.array(fc.string(), { maxLength: 12 }), (fields) => {
        const hops = hopsOf(fields);
        const ours = 'adit-0123456789abcdef';
        const sent = viaHeader(hops, ours);
        assert.match(sent, /^[ -~]+$/, 'a header is visible ASCII');
        assert.equal(hopsOf(sent).length, hops.length + 1, 'a hop is added, and none is lost');
        assert.notEqual(loopOf(hopsOf(sent), ours), undefined, 'a request that came back is not noticed');
        if (hops.length > maxHops) assert.notEqual(loopOf(hops, ours), undefined);
      }),
  },
  {
    name: 'proxy-status',
    share: 1,
    property: () =>
      fc.property(fc.string({ unit: 'binary' }), (reason) => {
        const { headers } = refusalAnswer({ code: 'DNS_FAILED', reason });
        assert.match(
          headers['proxy-status']!,
          /^adit; error=[a-z_]+; details="([ !#-[\]-~]|\\["\\])*"; adit-code=[A-Z_]+$/,
        );
      }),
  },
];
