import { expect, test } from '@jest/globals';
import type { RelayStream } from './contract.ts';
import { HeldBytes } from './held-bytes.ts';

function sentBy(held: HeldBytes): string {
  let sent = '';
  held.sendTo({
    sendView: (bytes) => {
      sent += Buffer.from(bytes).toString();
      return true;
    },
  } as RelayStream);
  return sent;
}

test('what is held stays as it was read, whatever becomes of the read buffer, and is sent once', () => {
  const held = new HeldBytes();
  const [read, small] = [Buffer.from('12345678first'), Buffer.from('second')];
  let released = 0;
  const lease = {
    release: () => {
      released++;
      read.fill(0xee);
    },
  };

  expect(held.buffer(read, 5, lease)).toBe(false);
  expect(held.copy(small)).toBe(false);
  small.fill(0xee);
  expect(held.view(Buffer.from('third'))).toBe(false);

  expect([released, held.size]).toEqual([1, 3]);
  expect(sentBy(held)).toBe('firstsecondthird');
  expect(sentBy(held)).toBe('');
});

test('nothing is held for a stream that is over, and its buffers are given back', () => {
  const held = new HeldBytes();
  let released = 0;
  held.copy(Buffer.from('x'));
  held.drop();
  held.buffer(Buffer.from('12345678x'), 1, {
    release: () => {
      released++;
    },
  });
  expect([released, held.size, sentBy(held)]).toEqual([1, 0, '']);
});
