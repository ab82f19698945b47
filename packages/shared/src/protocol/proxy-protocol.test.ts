import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { proxyBlock, proxyLine, type ProxyEnds as Ends } from './proxy-protocol-writer.ts';
import { formatAddress } from './address.ts';
import type { Step } from './handshake.ts';
import { awaitProxyHeader, maxProxyHeaderBytes, proxySignature, proxyTlv, type ProxyHeader } from './proxy-protocol.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const signature = Buffer.from(proxySignature).toString('hex');
const read = (...chunks: readonly Uint8Array[]): Step<ProxyHeader> => {
  const handshake = awaitProxyHeader();
  let step: Step<ProxyHeader> = { state: 'more' };
  for (const chunk of chunks) if (step.state === 'more') step = handshake.receive(chunk);
  return step;
};
const line = (text: string): Step<ProxyHeader> => read(Buffer.from(text, 'latin1'));
const block = (text: string): Step<ProxyHeader> => read(hex(signature + text));

const port = fc.nat(0xffff);
const host = (size: 4 | 16): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map(formatAddress);
const ends: fc.Arbitrary<Ends> = fc
  .constantFrom(4 as const, 16 as const)
  .chain((size) =>
    fc.record({ source: fc.record({ host: host(size), port }), destination: fc.record({ host: host(size), port }) }),
  );
const tlvs = fc.array(
  fc.record({ type: fc.integer({ min: 0xe0, max: 0xff }), value: fc.uint8Array({ maxLength: 60 }) }),
  { maxLength: 8 },
);
/** A header and what it says. */
const header: fc.Arbitrary<{ bytes: Uint8Array; value: ProxyHeader }> = fc.oneof(
  ends.map((both) => ({ bytes: proxyLine(both), value: { ...both, local: false, tlvs: [] } })),
  fc.constant({ bytes: proxyLine(), value: { local: false, tlvs: [] } }),
  fc.tuple(fc.option(ends, { nil: undefined }), tlvs, fc.boolean()).map(([both, options, checksum]) => ({
    bytes: proxyBlock({ ...(both && { ends: both }), tlvs: options, checksum }),
    value: { ...both, local: false, tlvs: options },
  })),
  fc.tuple(ends, tlvs, fc.boolean()).map(([both, options, checksum]) => ({
    bytes: proxyBlock({ ends: both, tlvs: options, checksum, command: 'LOCAL' }),
    value: { local: true, tlvs: [] },
  })),
);

/** Cuts bytes at the given places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length];
  return places.slice(1).map((end, at) => bytes.subarray(places[at], end));
}

describe('any header', () => {
  test('is read at any split, and what follows it is left alone', () => {
    fc.assert(
      fc.property(
        header,
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(5_000), { maxLength: 12 }),
        ({ bytes, value }, after, cuts) => {
          const handshake = awaitProxyHeader();
          const left: Uint8Array[] = [];
          let step: Step<ProxyHeader> = { state: 'more' };
          for (const piece of pieces(Buffer.concat([bytes, after]), cuts)) {
            if (step.state === 'more') step = handshake.receive(piece);
            else left.push(piece);
          }
          if (step.state !== 'done') throw new Error(JSON.stringify(step));
          expect({
            ...step.value,
            tlvs: step.value.tlvs.map(({ type, value: held }) => ({ type, value: [...held] })),
          }).toEqual({ ...value, tlvs: value.tlvs.map(({ type, value: held }) => ({ type, value: [...held] })) });
          expect(Buffer.concat([step.rest, ...left])).toEqual(Buffer.from(after));
        },
      ),
    );
  });

  test('that is cut short anywhere is waited for, and never taken for a whole one', () => {
    fc.assert(
      fc.property(header, fc.nat(), ({ bytes }, cut) => {
        expect(read(bytes.subarray(0, cut % bytes.length)).state).toBe('more');
      }),
    );
  });

  test('with bytes changed is read, refused or waited for, and never throws; the split does not matter', () => {
    fc.assert(
      fc.property(
        header,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        ({ bytes }, changes) => {
          const damaged = Uint8Array.from(bytes);
          for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
          const whole = read(damaged);
          const bytewise = read(...Array.from(damaged, (byte) => Uint8Array.of(byte)));
          expect(bytewise.state).toBe(whole.state);
          if (whole.state === 'done' && bytewise.state === 'done') expect(bytewise.value).toEqual(whole.value);
        },
      ),
    );
  });

  test('of random bytes fails or waits, within the bound', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), Buffer.from(proxySignature)),
        fc.uint8Array({ maxLength: 300 }),
        (start, noise) => {
          expect(['more', 'failed', 'done']).toContain(read(start, noise).state);
          expect(read(start, noise, new Uint8Array(maxProxyHeaderBytes + 1)).state).not.toBe('more');
        },
      ),
    );
  });
});

test.each(['\x16\x03\x01\x02\x00', 'GET / HTTP/1.1\r\n', 'SSH-2.0-x', 'proxy TCP4 ', 'PROXYv2', '\r\n\r\n\r', '\0'])(
  '%j is no header, as soon as it can be told',
  (text) => expect(line(text)).toEqual({ state: 'failed', reason: 'it does not begin with a PROXY protocol header' }),
);

describe('version 1', () => {
  test('says source and destination', () => {
    expect(line('PROXY TCP4 192.0.2.7 198.51.100.1 51514 443\r\nhello')).toEqual({
      state: 'done',
      value: {
        source: { host: '192.0.2.7', port: 51_514 },
        destination: { host: '198.51.100.1', port: 443 },
        local: false,
        tlvs: [],
      },
      rest: Buffer.from('hello'),
    });
    expect(line('PROXY TCP6 2001:DB8:0::7 ::1 0 65535\r\n')).toMatchObject({
      value: { source: { host: '2001:db8::7', port: 0 }, destination: { host: '::1', port: 65_535 } },
    });
  });

  test('UNKNOWN says nothing, whatever follows the word', () => {
    for (const text of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff:f...f:ffff 1 \xff\r\n'])
      expect(line(text)).toMatchObject({ state: 'done', value: { local: false, tlvs: [] } });
  });

  test('of 107 bytes is the longest', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(longest).toHaveLength(107);
    expect(line(longest).state).toBe('done');
    expect(line(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('107'),
    });
    expect(line(`PROXY UNKNOWN ${'x'.repeat(91)}`).state).toBe('more');
    expect(line(`PROXY UNKNOWN ${'x'.repeat(92)}`).state).toBe('failed');
  });

  test.each([
    ['a bare LF', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n'],
    ['a bare CR', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r '],
    ['a CR in the middle', 'PROXY TCP4 192.0.2.1\r 192.0.2.2 1 2\r\n'],
    ['a leading zero in a port', 'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n'],
    ['a sign', 'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n'],
    ['a port above 65535', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n'],
    ['a port of letters', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 0x2\r\n'],
    ['a missing port', 'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n'],
    ['one field too many', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n'],
    ['two spaces', 'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n'],
    ['a space at the end', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n'],
    ['an octet with a leading zero', 'PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n'],
    ['a short IPv4 address', 'PROXY TCP4 10.1 192.0.2.2 1 2\r\n'],
    ['an IPv6 address as TCP4', 'PROXY TCP4 ::1 ::2 1 2\r\n'],
    ['an IPv4 address as TCP6', 'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n'],
    ['families that differ', 'PROXY TCP4 192.0.2.1 ::2 1 2\r\n'],
    ['another family', 'PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n'],
    ['a family in lower case', 'PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n'],
    ['UNKNOWNx', 'PROXY UNKNOWNx\r\n'],
    ['a tab', 'PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n'],
    ['a zone', 'PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n'],
  ])('with %s fails with a reason', (_what, text) =>
    expect(line(text)).toEqual({ state: 'failed', reason: expect.stringMatching(/^a PROXY line /) }),
  );
});

describe('version 2', () => {
  test('says source and destination over IPv4 and IPv6', () => {
    expect(block('21 11 000c c0000207 c6336401 c93a 01bb')).toEqual({
      state: 'done',
      value: {
        source: { host: '192.0.2.7', port: 51_514 },
        destination: { host: '198.51.100.1', port: 443 },
        local: false,
        tlvs: [],
      },
      rest: Buffer.alloc(0),
    });
    expect(
      block('21 21 0024 20010db8000000000000000000000007 00000000000000000000000000000001 0001 0002 16'),
    ).toMatchObject({
      value: { source: { host: '2001:db8::7', port: 1 }, destination: { host: '::1', port: 2 } },
      rest: hex('16'),
    });
  });

  test('LOCAL says only that; its block is skipped, whatever it is', () => {
    for (const text of ['20 00 0000', '20 11 000c c0000207c6336401c93a01bb', '20 99 0003 ffffff'])
      expect(block(`${text} 1603`)).toEqual({ state: 'done', value: { local: true, tlvs: [] }, rest: hex('1603') });
  });

  test('UNSPEC and Unix sockets say no address', () => {
    expect(block('21 00 0000')).toMatchObject({ state: 'done', value: { local: false } });
    expect(block(`21 31 00d8 ${'61'.repeat(216)}`)).toEqual({
      state: 'done',
      value: { local: false, tlvs: [] },
      rest: Buffer.alloc(0),
    });
  });

  test('hands on TLVs in order, and none of the padding', () => {
    expect(block('21 00 000d 04 0002 ffff e0 0001 aa e0 0001 bb')).toMatchObject({
      value: {
        tlvs: [
          { type: 0xe0, value: Uint8Array.of(0xaa) },
          { type: 0xe0, value: Uint8Array.of(0xbb) },
        ],
      },
    });
    expect(block('21 00 000e 20 000b 01 00000000 21 0003 312e33')).toMatchObject({
      value: { tlvs: [{ type: proxyTlv.ssl }] },
    });
  });

  test('whose checksum holds is taken, and one with a single bit changed is not', () => {
    const whole = proxyBlock({
      ends: { source: { host: '192.0.2.7', port: 1 }, destination: { host: '192.0.2.8', port: 2 } },
      tlvs: [{ type: 0xe0, value: Buffer.from('x') }],
      checksum: true,
    });
    expect(read(whole).state).toBe('done');
    for (let at = 16; at < whole.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Uint8Array.from(whole);
        damaged[at]! ^= 1 << bit;
        // A checksum whose own type or length was hit is none: then the header is as one without.
        const unsummed = at === whole.length - 7 || at === whole.length - 6 || at === whole.length - 5;
        if (!unsummed) expect([at, bit, read(damaged).state]).toEqual([at, bit, 'failed']);
      }
    }
  });

  test.each([
    ['version 1', '11 11 000c'],
    ['command 2', '22 11 000c'],
    ['UDP', '21 12 000c c0000207c6336401c93a01bb'],
    ['an unknown family', '21 41 0000'],
    ['a transport without family', '21 01 0000'],
    ['too few bytes for its addresses', '21 11 000b'],
    ['more than 4096 bytes', '21 11 0ff1'],
    ['a TLV cut in its head', '21 00 0002 e000'],
    ['a TLV that runs over the end', '21 00 0004 e0 0002 aa'],
    ['a checksum of three bytes', '21 00 0006 03 0003 000000'],
    ['two checksums', '21 00 000e 03 0004 00000000 03 0004 00000000'],
    ['a long unique id', `21 00 0084 05 0081 ${'61'.repeat(129)}`],
    ['a TLS TLV that is too short', '21 00 0007 20 0004 01000000'],
    ['a TLS TLV with a broken one inside', '21 00 000a 20 0007 01 00000000 2100'],
  ])('of %s fails with a reason', (_what, text) =>
    expect(block(text)).toEqual({ state: 'failed', reason: expect.stringMatching(/PROXY/) }),
  );

  test('of a wrong version or length fails before the rest is collected', () => {
    expect(block('31').state).toBe('failed');
    expect(block('21 11 ffff').state).toBe('failed');
    expect(block('21 11 0ff0').state).toBe('more');
  });
});
