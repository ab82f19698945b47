import { expect, test } from '@jest/globals';
import type { Lease } from '../protocol/mux/replay.ts';
import { PooledReads, readBufferBytes } from './read-buffers.ts';

interface Taken {
  readonly how: 'buffer' | 'copy';
  readonly bytes: string;
  readonly whole?: Uint8Array;
  readonly lease?: Lease;
}

function reader() {
  const reads = new PooledReads();
  const taken: Taken[] = [];
  const sink = {
    sendBuffer: (buffer: Uint8Array, length: number, lease: Lease) => {
      taken.push({
        how: 'buffer',
        bytes: Buffer.from(buffer.subarray(8, 8 + length)).toString('latin1'),
        whole: buffer,
        lease,
      });
      return true;
    },
    sendCopy: (bytes: Uint8Array) => {
      taken.push({ how: 'copy', bytes: Buffer.from(bytes).toString('latin1') });
      return true;
    },
  };
  /** As the kernel does: fills the buffer it was given, then calls back. */
  const arrive = (text: string): Buffer => {
    const buffer = reads.onread.buffer();
    buffer.write(text, 'latin1');
    reads.onread.callback(text.length);
    return buffer;
  };
  return { reads, sink, taken, arrive };
}

test('leaves eight bytes free before what is read, in a buffer of 64 KiB', () => {
  const { reads } = reader();
  expect(reads.onread.buffer()).toHaveLength(readBufferBytes - 8);
});

test('small reads are copied out of one shared buffer, large ones become buffers of their own', () => {
  const one = reader();
  const two = reader();
  one.reads.attach(one.sink);
  two.reads.attach(two.sink);
  const [first, second] = [one.arrive('hello'), two.arrive('world')];
  expect(first).toBe(second);
  const large = 'x'.repeat(10_000);
  one.arrive(large);
  const own = one.arrive(large);
  expect(own).not.toBe(second);
  expect(one.taken.map(({ how }) => how)).toEqual(['copy', 'buffer', 'buffer']);
  expect(one.taken[2]!.bytes).toBe(large);
  expect(one.taken[2]!.whole).not.toBe(one.taken[1]!.whole);
});

test('a buffer is not read into again before it is given back', () => {
  const { reads, sink, taken, arrive } = reader();
  reads.attach(sink);
  for (let n = 0; n < 20; n++) arrive(String.fromCharCode(97 + n).repeat(5_000));
  expect(new Set(taken.map(({ whole }) => whole)).size).toBe(20);
  for (const [n, { whole }] of taken.entries())
    expect(whole!.subarray(8, 5_008).every((byte) => byte === 97 + n)).toBe(true);
  for (const { lease } of taken) lease!.release();
});

test('bytes that come before there is an owner are kept for it, and reading stops at 64 KiB', () => {
  const { reads, sink, taken } = reader();
  const early = (text: string): boolean => reads.onread.callback(reads.onread.buffer().write(text));
  expect([early('early'), early('x'.repeat(65_000)), early('y'.repeat(600))]).toEqual([true, true, false]);
  reads.attach(sink);
  expect(taken.map(({ how, bytes }) => [how, bytes.length])).toEqual([
    ['copy', 5],
    ['copy', 65_000],
    ['copy', 600],
  ]);
});

test('says whether the socket may read on, as its owner says', () => {
  const { reads, sink } = reader();
  reads.attach({ ...sink, sendCopy: () => false });
  expect(reads.onread.callback(3)).toBe(false);
});

test('what came before there was an owner goes to whoever takes over, and nothing after it', () => {
  const { reads, sink, taken, arrive } = reader();
  arrive('hel');
  reads.attach(sink);
  reads.detach(Buffer.from('lo'));
  arrive(' there');
  expect(taken).toEqual([{ how: 'copy', bytes: 'hel' }]);
  expect(Buffer.from(reads.takeOver()).toString()).toBe('lo there');
  expect(reads.takeOver()).toHaveLength(0);
});

test('one-byte reads without an owner become few, and go to the owner in order', () => {
  const reads = new PooledReads();
  for (let n = 0; n < 20_000; n++) {
    reads.onread.buffer()[0] = n % 251;
    reads.onread.callback(1);
  }
  const got: Buffer[] = [];

  reads.attach({
    sendCopy: (bytes) => {
      got.push(Buffer.from(bytes));
      return true;
    },
    sendBuffer: () => true,
  });

  expect(got.length).toBeLessThan(3);
  expect(Buffer.concat(got).every((byte, at) => byte === at % 251)).toBe(true);
  expect(Buffer.concat(got)).toHaveLength(20_000);
});
