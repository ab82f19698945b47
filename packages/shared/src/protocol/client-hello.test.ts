import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat } from './bytes.ts';
import { awaitClientHello, maxClientHelloBytes, tlsAlert, type ClientHello } from './client-hello.ts';

const u16 = (value: number): number[] => [value >> 8, value & 0xff];
const vector16 = (bytes: readonly number[]): number[] => [...u16(bytes.length), ...bytes];
const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const extension = (type: number, value: readonly number[]): number[] => [...u16(type), ...vector16(value)];
const serverName = (name: string): number[] => extension(0, vector16([0, ...vector16(ascii(name))]));
const protocols = (...names: readonly string[]): number[] =>
  extension(16, vector16(names.flatMap((one) => [one.length, ...ascii(one)])));
const padding = (bytes: number): number[] =>
  extension(
    21,
    Array.from({ length: bytes }, () => 0),
  );

/** TYPE(1)=1 LENGTH(3) VERSION(2) RANDOM(32) SESSION CIPHERS COMPRESSION EXTENSIONS */
function message(extensions: readonly number[] | undefined, after: readonly number[] = []): Uint8Array {
  const body = [
    3,
    3,
    ...Array.from({ length: 32 }, () => 7),
    2,
    1,
    1,
    0,
    2,
    0x13,
    1,
    1,
    0,
    ...(extensions ? vector16(extensions) : []),
    ...after,
  ];
  return Uint8Array.of(1, body.length >> 16, ...u16(body.length & 0xffff), ...body);
}

/** In records of the sizes that are given, the last one again and again. */
function records(whole: Uint8Array, sizes: readonly number[] = [16_384]): Uint8Array {
  const out: Uint8Array[] = [];
  for (let at = 0, count = 0; at < whole.length; count++) {
    const piece = whole.subarray(at, at + sizes[Math.min(count, sizes.length - 1)]!);
    out.push(Uint8Array.of(22, 3, 1, ...u16(piece.length)), piece);
    at += piece.length;
  }
  return concat(out);
}

interface Outcome {
  readonly state: string;
  readonly hello?: ClientHello;
  readonly rest?: string;
}

function outcome(chunks: readonly Uint8Array[]): Outcome {
  const handshake = awaitClientHello();
  for (const [at, chunk] of chunks.entries()) {
    const step = handshake.receive(chunk);
    if (step.state === 'failed') throw new Error('it never fails: it has an alert to give');
    if (step.state === 'done')
      return {
        state: 'done',
        hello: step.value,
        rest: Buffer.from(concat([step.rest, ...chunks.slice(at + 1)])).toString('hex'),
      };
  }
  return { state: 'more' };
}

function split(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((at) => at % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, at) => whole.subarray(places[at], end));
}

const helloOf = (...parts: readonly (readonly number[])[]): ClientHello | undefined =>
  outcome([records(message(parts.flat()))]).hello;

/** The first flight of Node's own client. */
async function realHello(servername: string, ALPNProtocols: string[]): Promise<Uint8Array> {
  const [near, far] = duplexPair();
  const client = connect({ socket: near, servername, ALPNProtocols }).on('error', () => {});
  const seen: Uint8Array[] = [];
  for await (const chunk of far) {
    seen.push(chunk as Uint8Array);
    if (outcome(seen).state === 'done') break;
  }
  client.destroy();
  return concat(seen);
}

describe('a ClientHello', () => {
  test('tells its name, and every byte of it goes on', () => {
    const whole = records(message([...padding(3), ...serverName('Web.Example.COM'), ...extension(0xfe0d, [1])]));
    expect(outcome([whole])).toEqual({
      state: 'done',
      hello: { ok: true, serverName: 'web.example.com', alpn: [] },
      rest: Buffer.from(whole).toString('hex'),
    });
  });

  test('without a name, without extensions, or with a final dot is one', () => {
    expect(helloOf(padding(1))).toEqual({ ok: true, serverName: undefined, alpn: [] });
    expect(helloOf()).toEqual({ ok: true, serverName: undefined, alpn: [] });
    expect(outcome([records(message(undefined))]).hello).toEqual({ ok: true, serverName: undefined, alpn: [] });
    expect(helloOf(serverName('web.example.com.'))).toMatchObject({ ok: true, serverName: 'web.example.com' });
  });

  test('tells what it offers to speak, in its order', () => {
    expect(helloOf(serverName('a.example'), protocols('h2', 'http/1.1'))).toEqual({
      ok: true,
      serverName: 'a.example',
      alpn: ['h2', 'http/1.1'],
    });
    for (const bad of [
      [0, 0],
      [0, 1, 0],
      [0, 3, 2, 97, 98, 1],
      [0, 2, 3, 97],
    ])
      expect(helloOf(extension(16, bad))).toMatchObject({ ok: false, alert: 'decodeError' });
  });

  test('of a real client is read, small, and of 20 kB in records byte by byte', async () => {
    const small = await realHello('small.example.com', ['h2']);
    expect(outcome([small]).hello).toEqual({ ok: true, serverName: 'small.example.com', alpn: ['h2'] });
    const large = await realHello(
      'large.example.com',
      Array.from({ length: 90 }, (_, at) => `${at}`.padEnd(230, 'x')),
    );
    expect(large.length).toBeGreaterThan(20_000);
    expect(outcome([...large].map((byte) => Uint8Array.of(byte)))).toMatchObject({
      state: 'done',
      hello: { ok: true, serverName: 'large.example.com' },
      rest: Buffer.from(large).toString('hex'),
    });
  });

  test('is told from what is no TLS at the first byte that decides', () => {
    expect(outcome([Uint8Array.of(0x47)]).hello).toMatchObject({
      ok: false,
      alert: 'unexpectedMessage',
      reason: expect.stringContaining('a byte of 71, which is not TLS'),
    });
    expect(outcome([Uint8Array.of(22, 2)]).hello).toMatchObject({ ok: false, alert: 'decodeError' });
    expect(outcome([Uint8Array.of(22, 3, 1, 0, 0)]).hello).toMatchObject({ ok: false, alert: 'decodeError' });
    expect(outcome([Uint8Array.of(22, 3, 1, 0x40, 1)]).hello).toMatchObject({ ok: false, alert: 'decodeError' });
    expect(outcome([Uint8Array.of(22, 3, 1, 0, 9, 2)]).hello).toMatchObject({
      ok: false,
      alert: 'unexpectedMessage',
      reason: expect.stringContaining('type 2'),
    });
    expect(outcome([records(message([]).subarray(0, 8)), Uint8Array.of(23)]).hello).toMatchObject({
      ok: false,
      alert: 'unexpectedMessage',
      reason: expect.stringContaining('in the middle'),
    });
  });

  const name = serverName('a.example');
  test.each<[string, readonly number[], string, string]>([
    ['an extension twice', [...name, ...name], 'illegalParameter', 'twice'],
    [
      'two names',
      extension(0, vector16([0, ...vector16(ascii('a.example')), 0, ...vector16(ascii('b.example'))])),
      'illegalParameter',
      'not exactly one host name',
    ],
    [
      'a name of another type',
      extension(0, vector16([1, ...vector16(ascii('a.example'))])),
      'illegalParameter',
      'not exactly one host name',
    ],
    ['an address for a name', serverName('192.0.2.7'), 'illegalParameter', 'is an address'],
    ['an IPv6 address for a name', serverName('2001:db8::1'), 'illegalParameter', 'is an address'],
    ['NUL in its name', serverName('a.example\0.evil'), 'illegalParameter', 'control character'],
    ['UTF-8 in its name', serverName('\u00c3\u00bc.example'), 'illegalParameter', 'not ASCII'],
    ['an empty name', serverName(''), 'illegalParameter', 'missing'],
    ['no name in its list', extension(0, [0, 0]), 'decodeError', 'runs over'],
    ['an empty list', extension(0, []), 'decodeError', 'runs over'],
    [
      'a byte behind the list',
      extension(0, [...vector16([0, ...vector16(ascii('a'))]), 0]),
      'decodeError',
      'runs over',
    ],
    ['a cut extension', [0, 0, 0, 9, 1], 'decodeError', 'runs over'],
  ])('with %s is refused', (_, extensions, alert, reason) => {
    expect(helloOf(extensions)).toMatchObject({ ok: false, alert, reason: expect.stringContaining(reason) });
  });

  test('with bytes too many or too few is refused', () => {
    expect(outcome([records(message(name, [0]))]).hello).toMatchObject({
      ok: false,
      reason: 'bytes follow its extensions',
    });
    expect(outcome([records(concat([message(name), Uint8Array.of(0)]))]).hello).toMatchObject({
      ok: false,
      reason: 'more bytes follow it in its record',
    });
    expect(outcome([records(Uint8Array.of(1, 0, 0, 3, 3, 3, 1))]).hello).toMatchObject({
      ok: false,
      alert: 'decodeError',
    });
  });

  test('of more than 64 KiB is refused when it says so, headers of records included', () => {
    expect(outcome([Uint8Array.of(22, 3, 1, 0x40, 0, 1, 1, 0, 0)]).hello).toMatchObject({
      ok: false,
      reason: expect.stringContaining('more than 65536'),
    });
    const large = message([...padding(50_000), ...name]);
    expect(outcome([records(large)]).hello).toMatchObject({ ok: true, serverName: 'a.example' });
    expect(outcome([records(large, [10])]).hello).toMatchObject({
      ok: false,
      reason: expect.stringContaining('more than 65536'),
    });
  });
});

test('an alert is a fatal record of TLS 1.2', () => {
  expect(Buffer.from(tlsAlert('unrecognizedName')).toString('hex')).toBe('15030300020270');
  expect(Buffer.from(tlsAlert('accessDenied')).toString('hex')).toBe('15030300020231');
});

describe('whatever the network does', () => {
  const good = fc
    .record({
      host: fc.constantFrom('a.example', 'xn--bcher-kva.example', 'a_b.c'),
      pad: fc.nat(600),
      sizes: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
    })
    .map(({ host, pad, sizes }) => records(message([...padding(pad), ...serverName(host)]), sizes));
  const damagedHello = fc
    .tuple(good, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([whole, changes]) => {
      const out = whole.slice();
      for (const [at, byte] of changes) out[at % out.length] = byte;
      return out;
    });

  test('any split of the bytes gives the same outcome, and nothing of them is lost', () => {
    fc.assert(
      fc.property(
        fc.oneof(good, damagedHello),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(2000), { maxLength: 30 }),
        (hello, tail, cuts) => {
          const whole = concat([hello, tail]);
          const once = outcome([whole]);
          expect(outcome(split(whole, cuts))).toEqual(once);
          expect(outcome([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(once);
          if (once.state === 'done') expect(once.rest).toBe(Buffer.from(whole).toString('hex'));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('random bytes never throw, and nothing is awaited beyond the limit', () => {
    const endless = fc
      .record({ announced: fc.nat(0xff_ffff), size: fc.integer({ min: 1, max: 16_384 }) })
      .map(({ announced, size }) => {
        const body = new Uint8Array(maxClientHelloBytes);
        body.set([1, announced >> 16, announced >> 8, announced]);
        return records(body, [size]);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.of(22, 3, 1, 0, 200, 1, 0, 0, ...bytes)),
          endless,
        ),
        (bytes) => {
          const step = awaitClientHello().receive(bytes);
          if (step.state === 'more') expect(bytes.length).toBeLessThan(maxClientHelloBytes);
        },
      ),
      { numRuns: 600 },
    );
  });
});
