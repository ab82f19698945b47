import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeClose,
  encodePong,
  maxFragments,
  maxMessageBytes,
  messageHeader,
  WebSocketDecoder,
  type WebSocketEnd,
} from './websocket.ts';

/** A decoder, and what it said. */
function decoder(end: WebSocketEnd = 'server') {
  const told: string[] = [];
  const data: Buffer[] = [];
  const made = new WebSocketDecoder(
    {
      data: (bytes) => data.push(Buffer.from(bytes)),
      ping: (payload) => told.push(`ping ${Buffer.from(payload).toString('hex')}`),
      close: (code) => told.push(`close ${code}`),
    },
    end,
  );
  return {
    told,
    bytes: () => Buffer.concat(data).toString('latin1'),
    receive: (hex: string) => made.receive(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
    raw: made,
  };
}

/** As section 5.2 draws it; the key is that of section 5.7. */
function frame({ bytes, opcode, fin, mask }: Framed): Buffer {
  const key = mask ? [0x37, 0xfa, 0x21, 0x3d] : [];
  const short = bytes.length < 126 ? [bytes.length] : [126, bytes.length >> 8, bytes.length & 0xff];
  const payload = bytes.map((byte, at) => byte ^ (key[at % 4] ?? 0));
  return Buffer.of((fin ? 0x80 : 0) | opcode, short[0]! | (mask ? 0x80 : 0), ...short.slice(1), ...key, ...payload);
}

interface Framed {
  readonly bytes: Uint8Array;
  readonly opcode: number;
  readonly fin: boolean;
  readonly mask: boolean;
}

test('the masked and the unmasked "Hello" of RFC 6455 section 5.7, as binary', () => {
  const [server, client] = [decoder('server'), decoder('client')];
  server.receive('82 85 37fa213d 7f9f4d5158');
  client.receive('82 05 48656c6c6f');
  expect([server.bytes(), client.bytes()]).toEqual(['Hello', 'Hello']);
});

test('fragments are one message, with a ping between them (section 5.4)', () => {
  const { receive, bytes, told } = decoder('client');
  receive('02 03 48656c 89 01 aa 80 02 6c6f 88 02 03e8 82 01 ff');
  expect([bytes(), told]).toEqual(['Hello', ['ping aa', 'close 1000']]);
});

test.each([
  ['a frame that is not masked', '82 01 00', /not masked/, 1002],
  ['a reserved bit', 'c2 80 00000000', /reserved bit/, 1002],
  ['an opcode that there is not', '83 80 00000000', /opcode/, 1002],
  ['a control opcode that there is not', '8b 80 00000000', /opcode/, 1002],
  ['a continuation of nothing', '80 80 00000000', /continuation/, 1002],
  ['a message inside another', '02 80 00000000 82 80 00000000', /inside another/, 1002],
  ['text', '81 80 00000000', /text/, 1003],
  ['a ping in pieces', '09 80 00000000', /in pieces/, 1002],
  ['a ping of 126 bytes', '89 fe 007e 00000000', /126 bytes/, 1002],
  ['a message of 2^63 bytes', '82 ff 8000000000000000 00000000', /payload/, 1009],
  ['a message of 256 KiB and a byte', '82 ff 0000000000040001 00000000', /payload/, 1009],
  ['a close of one byte', '88 81 00000000 00', /one byte/, 1002],
  ['a close with a code that there is not', '88 82 00000000 0005', /code 5/, 1002],
  ['a close with a code that is never sent', '88 82 00000000 03ee', /code 1006/, 1002],
])('%s is a fault', (_what, hex, message, code) => {
  const { receive, bytes } = decoder();
  expect(() => receive(hex)).toThrow(expect.objectContaining({ message: expect.stringMatching(message), code }));
  expect(bytes()).toBe('');
});

test('a message may have 256 KiB and 128 frames, and not one frame more', () => {
  const { raw } = decoder('client');
  raw.receive(Buffer.concat([messageHeader(maxMessageBytes, 'server'), Buffer.alloc(maxMessageBytes)]));
  raw.receive(Buffer.from('0200' + '0000'.repeat(maxFragments - 1), 'hex'));
  expect(() => raw.receive(Buffer.from('8000', 'hex'))).toThrow(/more than 128 frames/);
});

test('a header says the length in the fewest bytes, and a client the key 0', () => {
  const hex = (length: number, end: WebSocketEnd): string => Buffer.from(messageHeader(length, end)).toString('hex');
  expect([hex(125, 'server'), hex(126, 'server'), hex(65_535, 'client'), hex(65_536, 'server')]).toEqual([
    '827d',
    '827e007e',
    '82feffff00000000',
    '827f0000000000010000',
  ]);
  expect(Buffer.from(encodePong(Buffer.from('hi'), 'server')).toString('hex')).toBe('8a026869');
  expect(Buffer.from(encodeClose(1000, 'client')).toString('hex')).toBe('88820000000003e8');
});

test('any messages, masked or not, arrive exact in any split', () => {
  const message = fc.record({ bytes: fc.uint8Array({ maxLength: 400 }), fin: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 20 }),
      fc.boolean(),
      fc.array(fc.nat(50), { minLength: 1 }),
      (messages, mask, sizes) => {
        const wire: Buffer[] = [];
        let first = true;
        for (const { bytes, fin } of messages) {
          wire.push(frame({ bytes, opcode: first ? 2 : 0, fin, mask }));
          first = fin;
        }
        const { raw, bytes } = decoder(mask ? 'server' : 'client');
        const all = Buffer.concat(wire);
        for (let at = 0, n = 0; at < all.length; n++) {
          const size = 1 + sizes[n % sizes.length]!;
          raw.receive(all.subarray(at, at + size));
          at += size;
        }
        expect(bytes()).toBe(Buffer.concat(messages.map((one) => one.bytes)).toString('latin1'));
      },
    ),
  );
});

test('random bytes never do more than fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        decoder().raw.receive(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.any(Number) });
      }
    }),
  );
});
