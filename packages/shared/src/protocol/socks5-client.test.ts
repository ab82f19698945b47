import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat } from './bytes.ts';
import {
  awaitSocks5,
  maxSocks5AnswerBytes,
  socks5Greeting,
  type Socks5Answer,
  type Socks5Request,
} from './socks5-client.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const plain: Socks5Request = { host: 'db.internal', port: 5432 };
const named: Socks5Request = { ...plain, credentials: { user: 'alice', password: 's3cret' } };

interface Outcome {
  readonly state: string;
  readonly sent: string;
  readonly value?: Socks5Answer;
  readonly rest?: Uint8Array;
  readonly reason?: string;
}

/** What a client says and makes of the chunks, with what follows the handshake put together again. */
function outcome(request: Socks5Request, chunks: readonly Uint8Array[]): Outcome {
  const handshake = awaitSocks5(request);
  const sent = [socks5Greeting(request)];
  for (const [at, chunk] of chunks.entries()) {
    const step = handshake.receive(chunk);
    if (step.state === 'more') {
      if (step.send) sent.push(step.send);
      continue;
    }
    const said = Buffer.from(concat(sent)).toString('hex');
    if (step.state === 'failed') return { state: 'failed', reason: step.reason, sent: said };
    return {
      state: 'done',
      value: step.value,
      sent: said,
      ...(step.value.ok && { rest: Uint8Array.from(concat([step.rest, ...chunks.slice(at + 1)])) }),
    };
  }
  return { state: 'more', sent: Buffer.from(concat(sent)).toString('hex') };
}

function split(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, at) => whole.subarray(places[at], end));
}

describe('a handshake', () => {
  test('without credentials: the name goes to the proxy as a name, and what follows is left alone', () => {
    expect(outcome(plain, [hex('05 00'), hex('05 00 00 01 7f000001 1538 68 69')])).toEqual({
      state: 'done',
      value: { ok: true },
      rest: hex('6869'),
      sent: '050100' + '05010003' + '0b64622e696e7465726e616c' + '1538',
    });
  });

  test('with user and password (RFC 1929)', () => {
    expect(
      outcome(named, [hex('05 02'), hex('01 00'), hex('05 00 00 04 00000000000000000000000000000001 0000')]),
    ).toEqual({
      state: 'done',
      value: { ok: true },
      rest: new Uint8Array(),
      sent: '05020002' + '0105616c69636506733363726574' + '05010003' + '0b64622e696e7465726e616c' + '1538',
    });
  });

  test('does not show user and password to a proxy that does not ask', () => {
    expect(outcome(named, [hex('05 00'), hex('05 00 00 03 01 61 0050')]).sent).toBe(
      '05020002' + '05010003' + '0b64622e696e7465726e616c' + '1538',
    );
  });

  test('sends an address as an address', () => {
    expect(outcome({ host: '192.0.2.7', port: 80 }, [hex('05 00')]).sent).toBe(
      '050100' + '05010001' + 'c0000207' + '0050',
    );
    expect(outcome({ host: 'fd00::1', port: 80 }, [hex('05 00')]).sent).toBe(
      '050100' + '05010004' + 'fd000000000000000000000000000001' + '0050',
    );
  });
});

describe('a no', () => {
  test.each([
    [plain, '05 ff', { ok: false, step: 'method', reason: 'it requires a user and password' }],
    [
      named,
      '05 ff',
      {
        ok: false,
        step: 'method',
        reason: 'it requires another way to log in than a user and password',
      },
    ],
    [named, '05 02|01 01', { ok: false, step: 'credentials', reason: 'it does not accept this user and password' }],
    [plain, '05 00|05 01', { ok: false, step: 'connect', reply: 1, reason: 'the proxy failed and does not say why' }],
    [plain, '05 00|05 02', { ok: false, step: 'connect', reply: 2, reason: 'the rules of the proxy do not allow it' }],
    [plain, '05 00|05 03', { ok: false, step: 'connect', reply: 3, reason: 'the proxy has no route to that network' }],
    [
      plain,
      '05 00|05 04',
      { ok: false, step: 'connect', reply: 4, reason: 'the proxy cannot reach or resolve that host' },
    ],
    [plain, '05 00|05 05', { ok: false, step: 'connect', reply: 5, reason: 'nothing listens on that port' }],
    [plain, '05 00|05 06', { ok: false, step: 'connect', reply: 6, reason: 'it took too many hops' }],
    [plain, '05 00|05 07', { ok: false, step: 'connect', reply: 7, reason: 'the proxy does not support CONNECT' }],
    [
      plain,
      '05 00|05 08',
      { ok: false, step: 'connect', reply: 8, reason: 'the proxy does not support this type of address' },
    ],
    [
      plain,
      '05 00|05 5b',
      { ok: false, step: 'connect', reply: 91, reason: 'it answers 91, which SOCKS5 does not define' },
    ],
  ] as const)('is known at its last byte: %#', (request, bytes, value) => {
    const parts = bytes.split('|').map(hex);
    expect(outcome(request, parts)).toMatchObject({ state: 'done', value });
    expect(outcome(request, [...parts.slice(0, -1), parts.at(-1)!.subarray(0, -1)]).state).toBe('more');
  });
});

test.each([
  [plain, '04', 'not a SOCKS5 answer'],
  [plain, '48545450', 'not a SOCKS5 answer'],
  [plain, '05 02', 'a choice of method 2, which was not offered'],
  [named, '05 01', 'a choice of method 1, which was not offered'],
  [named, '05 02|48', 'not an RFC 1929 answer to user and password'],
  [plain, '05 00|00', 'not a SOCKS5 reply'],
  [plain, '05 00|05 00 01', 'a reply whose reserved byte is set'],
  [plain, '05 00|05 00 00 02', 'a reply with an address of type 2'],
] as const)('what is not SOCKS5 fails at its first wrong byte: %#', (request, bytes, reason) => {
  expect(outcome(request, bytes.split('|').map(hex))).toMatchObject({ state: 'failed', reason });
});

test.each([
  { host: 'a'.repeat(256), port: 1 },
  { host: '', port: 1 },
  { ...plain, credentials: { user: '', password: 'x' } },
  { ...plain, credentials: { user: 'ü'.repeat(128), password: 'x' } },
  { ...plain, credentials: { user: 'x', password: 'y'.repeat(256) } },
])('what does not fit into its length byte is not sent', (request) => {
  expect(() => awaitSocks5(request)).toThrow(RangeError);
});

const interesting = fc.oneof(fc.constantFrom(5, 0, 1, 2, 3, 4, 0xff), fc.nat(255));
const reply = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.array(interesting, { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
  fc
    .tuple(
      fc.constantFrom('0500', '05020100'),
      fc.constantFrom('0500000102030405abcd', '050000030361626300aa', `05000004${'11'.repeat(16)}0050`),
      fc.uint8Array(),
    )
    .map(([choice, answer, rest]) => concat([hex(choice), hex(answer), rest])),
);

/** Where a client that reads byte by byte speaks: nobody answers beyond that before. */
function turns(request: Socks5Request, whole: Uint8Array): number[] {
  const handshake = awaitSocks5(request);
  const places: number[] = [];
  for (let at = 0; at < whole.length; at++) {
    const step = handshake.receive(whole.subarray(at, at + 1));
    if (step.state !== 'more') break;
    if (step.send) places.push(at + 1);
  }
  return places;
}

test('any split of any bytes gives the same outcome, nothing throws, and no handshake is longer than the most', () => {
  fc.assert(
    fc.property(fc.constantFrom(plain, named), reply, fc.array(fc.nat()), (request, whole, cuts) => {
      const byBytes = outcome(
        request,
        [...whole].map((byte) => Uint8Array.of(byte)),
      );
      expect(outcome(request, split(whole, [...cuts, ...turns(request, whole)]))).toEqual(byBytes);
      if (byBytes.state === 'more') expect(whole.length).toBeLessThan(maxSocks5AnswerBytes);
      expect(['more', 'done', 'failed']).toContain(outcome(request, split(whole, cuts)).state);
    }),
    { numRuns: 3000 },
  );
});

test('a proxy that answers before it was asked is not believed', () => {
  expect(outcome(plain, [hex('05 00 05 00 00 01 7f000001 1538')])).toEqual({
    state: 'failed',
    reason: 'an answer before the request',
    sent: '050100',
  });
});
