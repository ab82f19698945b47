import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat } from './bytes.ts';
import {
  awaitConnectResponse,
  basicCredentials,
  connectRequest,
  maxHeadBytes,
  type ConnectResponse,
} from './http-connect.ts';
import type { Step } from './handshake.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** The outcome of all the chunks, with what follows the head put together again. */
function outcome(chunks: readonly Uint8Array[]): Step<ConnectResponse> {
  const handshake = awaitConnectResponse();
  for (const [at, chunk] of chunks.entries()) {
    const step = handshake.receive(chunk);
    if (step.state === 'done') return { ...step, rest: concat([step.rest, ...chunks.slice(at + 1)]) };
    if (step.state === 'failed') return step;
  }
  return { state: 'more' };
}

function split(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, at) => whole.subarray(places[at], end));
}

describe('the request', () => {
  test('names the destination twice, in brackets where it is IPv6, and carries the headers', () => {
    expect(
      Buffer.from(
        connectRequest({
          host: 'db.internal',
          port: 5432,
          headers: { 'Proxy-Authorization': basicCredentials('Aladdin', 'open sesame') },
        }),
      ).toString(),
    ).toBe(
      'CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n' +
        'Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n',
    );
    expect(Buffer.from(connectRequest({ host: 'fd00::1', port: 80, headers: {} })).toString()).toBe(
      'CONNECT [fd00::1]:80 HTTP/1.1\r\nHost: [fd00::1]:80\r\n\r\n',
    );
  });

  test('sends user and password as UTF-8', () =>
    expect(basicCredentials('test', '123\u00a3')).toBe('Basic dGVzdDoxMjPCow==')); // RFC 7617 section 2.1

  test.each<[Record<string, string>]>([
    [{ 'X-A': 'b\r\nX-C: d' }],
    [{ 'X-A': 'b\nc' }],
    [{ 'X-A\r\nB': 'c' }],
    [{ '': 'c' }],
    [{ 'a b': 'c' }],
    [{ 'X-A': '\0' }],
  ])('is not made from a header that would be more than one: %j', (headers) => {
    expect(() => connectRequest({ host: 'a.example', port: 1, headers })).toThrow(TypeError);
  });

  test.each(['a b', 'a\r\nb', ''])('is not made from the host %j', (host) => {
    expect(() => connectRequest({ host, port: 1, headers: {} })).toThrow(TypeError);
  });
});

describe('the answer', () => {
  test('gives status, reason, headers by lower-case name, and leaves alone what follows', () => {
    expect(
      outcome([
        bytes(
          'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n' +
            'Via:\t1.1 squid \r\nproxy-authenticate:Negotiate\r\n\r\n<html>',
        ),
      ]),
    ).toEqual({
      state: 'done',
      rest: bytes('<html>'),
      value: {
        status: 407,
        reason: 'Proxy Authentication Required',
        headers: new Map([
          ['proxy-authenticate', 'Basic realm="x", Negotiate'],
          ['via', '1.1 squid'],
        ]),
      },
    });
  });

  test.each([
    ['HTTP/1.0 200 Connection established\r\n\r\n', 200, 'Connection established'],
    ['HTTP/1.1 200\r\n\r\n', 200, ''],
    ['HTTP/1.1 200 \r\n\r\n', 200, ''],
  ])('%j is one', (head, status, reason) => {
    expect(outcome([bytes(head)])).toEqual({
      state: 'done',
      value: { status, reason, headers: new Map() },
      rest: new Uint8Array(),
    });
  });

  test('may come after interim ones, whose headers are not its own', () => {
    expect(
      outcome([
        bytes('HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'),
      ]),
    ).toMatchObject({ state: 'done', value: { status: 200, headers: new Map() } });
  });

  test.each([
    ['HTTP/1.1 200 OK\n\n', 'a line that does not end in CR LF'],
    ['HTTP/1.1 200 OK\r\nA: b\n\r\n', 'a line that does not end in CR LF'],
    ['HTTP/1.1 200 OK\rA: b\r\n\r\n', 'a line that does not end in CR LF'],
    ['HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', 'a header folded over two lines'],
    ['HTTP/1.1 200 OK\r\n A: b\r\n\r\n', 'a header folded over two lines'],
    ['HTTP/1.1 200 OK\r\nA : b\r\n\r\n', 'a header with an invalid name'],
    ['HTTP/1.1 200 OK\r\n: b\r\n\r\n', 'a header with an invalid name'],
    ['HTTP/1.1 200 OK\r\nA\r\n\r\n', 'a header with an invalid name'],
    ['HTTP/1.1 200 O\0K\r\n\r\n', 'a control character in a line of the head'],
    ['HTTP/1.1 200 OK\r\nA: \x1b[2J\r\n\r\n', 'a control character in a line of the head'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'a malformed status line'],
    ['HTTP/1.1 099 OK\r\n\r\n', 'a malformed status line'],
    ['HTTP/1.2 200 OK\r\n\r\n', 'a malformed status line'],
    ['HTTP/1.1  200 OK\r\n\r\n', 'a malformed status line'],
    ['HTTP/2 200\r\n\r\n', 'no answer of HTTP/1'],
    ['SSH-2.0-x\r\n', 'no answer of HTTP/1'],
    ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'no answer of HTTP/1'],
    ['\x05', 'no answer of HTTP/1'],
  ])('%j is refused, however it is split', (head, reason) => {
    expect(outcome([bytes(head)])).toEqual({ state: 'failed', reason });
    expect(outcome([...bytes(head)].map((byte) => Uint8Array.of(byte)))).toEqual({ state: 'failed', reason });
  });

  test('is at most 64 KiB long, interim ones counted', () => {
    const head = (length: number): Uint8Array => bytes(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(length - 24)}\r\n\r\n`);
    expect(head(maxHeadBytes)).toHaveLength(maxHeadBytes);
    expect(outcome([head(maxHeadBytes), bytes('y'.repeat(100_000))])).toMatchObject({
      state: 'done',
      rest: { length: 100_000 },
    });
    const tooLong = { state: 'failed', reason: 'a head of more than 65536 bytes' };
    expect(outcome([head(maxHeadBytes + 1)])).toEqual(tooLong);
    expect(outcome(Array.from({ length: 3000 }, () => bytes('HTTP/1.1 100 Continue\r\n\r\n')))).toEqual(tooLong);
    expect(
      outcome(Array.from({ length: maxHeadBytes + 1 }, (_, at) => bytes(at < 9 ? 'HTTP/1.1 '[at]! : '2'))),
    ).toEqual(tooLong);
  });

  test('keeps to its failure', () => {
    const handshake = awaitConnectResponse();
    expect(handshake.receive(bytes('nonsense')).state).toBe('failed');
    expect(handshake.receive(bytes('HTTP/1.1 200 OK\r\n\r\n')).state).toBe('failed');
  });
});

const piece = fc.constantFrom(
  'HTTP/1.1 200 OK',
  'HTTP/1.1 100 Continue',
  'HTTP/1.0 502 Bad Gateway',
  '\r\n',
  '\r\n',
  '\r',
  '\n',
  'A: b',
  'Via: x',
  ' ',
  ':',
  '\0',
  'HTTP/',
  '\xff',
);
const anything = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.array(piece, { maxLength: 20 }).map((pieces) => bytes(pieces.join(''))),
);

test('any split of any bytes gives the same outcome, and nothing throws', () => {
  fc.assert(
    fc.property(anything, fc.array(fc.nat()), (whole, cuts) => {
      expect(outcome(split(whole, cuts))).toEqual(outcome([whole]));
    }),
    { numRuns: 3000 },
  );
});

test('a head comes back as it was written, at any split, with every byte that follows', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const value = fc.stringMatching(/^[!-~](?:[ -~]{0,40}[!-~])?$/);
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 8 }),
      fc.uint8Array(),
      fc.array(fc.nat()),
      (status, headers, rest, cuts) => {
        const head = bytes(
          `HTTP/1.1 ${status} Because\r\n${headers.map(([key, text]) => `${key}: ${text}\r\n`).join('')}\r\n`,
        );
        expect(outcome(split(concat([head, rest]), cuts))).toEqual({
          state: 'done',
          value: { status, reason: 'Because', headers: new Map(headers) },
          rest: Uint8Array.from(rest),
        });
      },
    ),
  );
});
