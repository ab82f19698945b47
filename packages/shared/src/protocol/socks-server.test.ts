import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat } from './bytes.ts';
import { awaitSocksRequest, maxSocksBytes, socksReply } from './socks-server.ts';
import type { Admits } from './socks5-server.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const alice: Admits = (user, password) => user === 'alice' && password === 's3cret';

/** What the client hears before the egress is asked, and what the request was. */
function outcome(chunks: readonly Uint8Array[], admits?: Admits): unknown {
  const handshake = awaitSocksRequest(admits);
  const said: Uint8Array[] = [];
  for (const [at, chunk] of chunks.entries()) {
    const step = handshake.receive(chunk);
    if (step.state === 'failed') return { state: 'failed', reason: step.reason };
    if (step.send) said.push(step.send);
    if (step.state === 'more') continue;
    const heard = Buffer.from(concat(said)).toString('hex');
    const { value, rest } = step;
    return value.ok
      ? { ...value, heard, rest: Buffer.from(concat([rest, ...chunks.slice(at + 1)])).toString('hex') }
      : { ...value, heard, answer: Buffer.from(value.answer).toString('hex') };
  }
  return { state: 'more', heard: Buffer.from(concat(said)).toString('hex') };
}

function split(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, at) => whole.subarray(places[at], end));
}

const good: readonly (readonly [string, string, Admits?])[] = [
  ['a name', '050100 05010003 0b64622e696e7465726e616c 1538 6869'],
  ['IPv4', '050100 05010001 c0000207 0050'],
  ['IPv6', '05020100 05010004 fd000000000000000000000000000001 0050 ff'],
  ['a password', '05020002 01 05616c696365 06733363726574 05010003 0161 0050 6869', alice],
  ['SOCKS4', '0401 0050 c0000207 626f6200 6869'],
  ['SOCKS4a', '0401 0050 00000001 00 64622e696e7465726e616c00 6869'],
];
const bad: readonly (readonly [string, string, Admits?])[] = [
  ['BIND', '050100 05020001 c0000207 0050'],
  ['UDP', '050100 05030001 00000000 0000'],
  ['no password', '050100', alice],
  ['a wrong one', '050102 01 05616c696365 06733363726575', alice],
  ['an odd address', '050100 05010002 61'],
  ['a space in the name', '050100 05010003 03 612062 0050'],
  ['port 0', '050100 05010003 0161 0000'],
  ['SOCKS4 BIND', '0402 0050 c0000207 00'],
  ['SOCKS4 where a password is asked', '0401 0050 c0000207 00', alice],
  ['another version', '0601'],
  ['a reserved byte', '050100 050101'],
  ['RFC 1929 in another version', '050102 02', alice],
];

describe('a request', () => {
  test('of SOCKS5 by name keeps the name, and what follows it', () => {
    expect(outcome([hex('05 01 00'), hex('05 01 00 03 0b 64622e696e7465726e616c 1538 6869')])).toEqual({
      ok: true,
      version: 5,
      destination: { kind: 'host', host: 'db.internal', port: 5432 },
      heard: '0500',
      rest: '6869',
    });
  });

  test.each([
    ['7f000001', '01', '127.0.0.1'],
    ['fd000000000000000000000000000001', '04', 'fd00::1'],
    ['00000000000000000000ffff7f000001', '04', '127.0.0.1'],
    ['09 3132372e302e302e31', '03', '127.0.0.1'],
    ['02 412e', '03', 'a'],
  ])('of SOCKS5 for %s of type %s goes to %s', (address, type, host) => {
    expect(outcome([hex(`05 01 00 05 01 00 ${type} ${address} 0050`)])).toMatchObject({
      ok: true,
      destination: { kind: 'host', host, port: 80 },
      rest: '',
    });
  });

  test('for a name below adit.internal asks for a service, in every version that has names', () => {
    const name = Buffer.from('web.adit.internal').toString('hex');
    expect(outcome([hex(`05 01 00 05 01 00 03 11 ${name} 0050`)])).toMatchObject({
      ok: true,
      destination: { kind: 'service', service: 'web' },
    });
    expect(outcome([hex(`04 01 0050 00000001 00 ${name} 00`)])).toMatchObject({
      ok: true,
      destination: { kind: 'service', service: 'web' },
    });
  });

  test('with user and password (RFC 1929) is admitted or not', () => {
    expect(
      outcome([hex('05 02 00 02'), hex('01 05 616c696365 06 733363726574'), hex('05 01 00 03 01 61 0050')], alice),
    ).toMatchObject({ ok: true, heard: '05020100' });
    expect(outcome([hex('05 02 00 02'), hex('01 05 616c696365 06 733363726575')], alice)).toMatchObject({
      ok: false,
      why: 'credentials',
      heard: '0502',
      answer: '0101',
    });
    expect(outcome([hex('05 02 00 02'), hex('01 00 00')], alice)).toMatchObject({ ok: false, why: 'credentials' });
  });

  test('finds no way of authentication that both sides know', () => {
    expect(outcome([hex('05 01 00')], alice)).toMatchObject({
      ok: false,
      why: 'credentials',
      reason: expect.stringContaining('required here'),
      answer: '05ff',
    });
    expect(outcome([hex('05 02 01 02')])).toMatchObject({
      ok: false,
      why: 'credentials',
      reason: expect.stringContaining('requires authentication'),
      answer: '05ff',
    });
    expect(outcome([hex('05 00')])).toMatchObject({ ok: false, answer: '05ff' });
  });

  test('of SOCKS4 and 4a', () => {
    expect(outcome([hex('04 01 0050 c0000207 626f62 00 6869')])).toEqual({
      ok: true,
      version: 4,
      destination: { kind: 'host', host: '192.0.2.7', port: 80 },
      heard: '',
      rest: '6869',
    });
    expect(outcome([hex('04 01 1538 00000001 00 64622e696e7465726e616c 00 6869')])).toMatchObject({
      ok: true,
      version: 4,
      destination: { host: 'db.internal', port: 5432 },
      rest: '6869',
    });
    expect(outcome([hex('04 01 0050 00000000 00')])).toMatchObject({ ok: true, destination: { host: '0.0.0.0' } });
  });

  test.each([
    ['BIND', '050100 05 02', 'command', '05070001000000000000'],
    ['UDP ASSOCIATE', '050100 05 03', 'command', '05070001000000000000'],
    ['an address of another type', '050100 05 01 00 02', 'destination', '05080001000000000000'],
    ['a name that is none', '050100 05 01 00 03 03 612062 0050', 'destination', '05040001000000000000'],
    ['port 0', '050100 05 01 00 03 01 61 0000', 'destination', '05040001000000000000'],
    ['BIND of SOCKS4', '04 02', 'command', '005b000000000000'],
  ])('for %s is answered at the byte that decides', (_, bytes, why, answer) => {
    expect(outcome([hex(bytes)])).toMatchObject({ ok: false, why, answer });
  });

  test('of SOCKS4 is refused where a password is asked for', () => {
    expect(outcome([hex('04 01')], alice)).toMatchObject({ ok: false, why: 'credentials', answer: '005b000000000000' });
  });

  test.each([
    ['06', /begins with 4 or 5/],
    ['47', /begins with 4 or 5/],
    ['050100 04', /not a SOCKS5 request/],
    ['050100 050101', /reserved/],
    ['04 01 0050 c0000207' + '61'.repeat(256), /more than 255/],
  ])('that is none fails: %s', (bytes, reason) => {
    expect(outcome([hex(bytes)])).toMatchObject({ state: 'failed', reason: expect.stringMatching(reason) });
  });
});

test('the answer to a good request is that of its version', () => {
  expect(socksReply(5, 0)).toEqual(hex('05000001000000000000'));
  expect(socksReply(5, 2)).toEqual(hex('05020001000000000000'));
  expect(socksReply(4, 0)).toEqual(hex('005a000000000000'));
  expect(socksReply(4, 5)).toEqual(hex('005b000000000000'));
});

describe('whatever the network does', () => {
  const requests = fc.constantFrom(...[...good, ...bad].map(([, bytes, admits]) => [hex(bytes), admits] as const));

  test('any split of the bytes gives the same outcome, and nothing behind the request is lost', () => {
    fc.assert(
      fc.property(
        requests,
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(2000), { maxLength: 30 }),
        ([request, admits], tail, cuts) => {
          const whole = concat([request, tail]);
          expect(outcome(split(whole, cuts), admits)).toEqual(outcome([whole], admits));
        },
      ),
    );
  });

  test('random bytes never throw, and what wants more than the limit has failed', () => {
    fc.assert(
      fc.property(fc.constantFrom(4, 5), fc.uint8Array({ maxLength: 900 }), fc.boolean(), (first, bytes, asks) => {
        const whole = Uint8Array.of(first, ...bytes);
        const step = awaitSocksRequest(asks ? alice : undefined).receive(whole);
        if (step.state === 'more') expect(whole.length).toBeLessThan(maxSocksBytes);
      }),
      { numRuns: 2000 },
    );
  });
});
