import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Handshake } from '../protocol/handshake.ts';
import { drive, type DriveOptions } from './drive.ts';

/** A line, up to its newline. */
function line(): Handshake<string> {
  let seen = '';
  return {
    receive: (chunk) => {
      seen += Buffer.from(chunk).toString('latin1');
      if (seen.startsWith('!')) return { state: 'failed', reason: 'no' };
      const end = seen.indexOf('\n');
      return end < 0
        ? { state: 'more' }
        : { state: 'done', value: seen.slice(0, end), rest: Buffer.from(seen.slice(end + 1), 'latin1') };
    },
  };
}
const options: DriveOptions = {
  deadlineMs: 10_000,
  maxBytes: 100,
  peer: 'the peer',
  codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
};

test('gives the value and what followed it, and loses nothing that comes later', async () => {
  const [ours, theirs] = duplexPair();
  const driven = drive(ours, line(), options);
  theirs.write('he');
  theirs.write('llo\nrest');
  const { value, rest } = await driven;
  expect([value, Buffer.from(rest).toString()]).toEqual(['hello', 'rest']);
  expect(ours.isPaused()).toBe(true);
  theirs.write('later');
  const later = once(ours, 'data');
  ours.resume();
  expect(String((await later)[0])).toBe('later');
});

test('writes what the handshake has to say in between', async () => {
  const [ours, theirs] = duplexPair();
  let asked = 0;
  const driven = drive<number>(
    ours,
    {
      receive: (chunk) =>
        ++asked < 3 ? { state: 'more', send: chunk } : { state: 'done', value: asked, rest: new Uint8Array() },
    },
    options,
  );
  theirs.on('data', (chunk: Buffer) => theirs.write(`${String(chunk)}!`));
  theirs.write('hello');
  expect((await driven).value).toBe(3);
});

test('says which way it failed', async () => {
  const attempt = (act: (theirs: ReturnType<typeof duplexPair>[1]) => void, changes: Partial<DriveOptions> = {}) => {
    const [ours, theirs] = duplexPair();
    const driven = drive(ours, line(), { ...options, ...changes });
    act(theirs);
    return driven;
  };
  await expect(
    attempt(
      () => {
        /* silence */
      },
      { deadlineMs: 5 },
    ),
  ).rejects.toMatchObject({ code: 'LINK_TIMEOUT', message: 'the peer said nothing for 0.005 s' });
  await expect(attempt((theirs) => theirs.end())).rejects.toMatchObject({
    code: 'LINK_LOST',
    message: 'the peer closed the connection',
  });
  await expect(attempt((theirs) => theirs.write('!'))).rejects.toMatchObject({
    code: 'PROTOCOL_ERROR',
    message: 'the peer sent something unexpected: no',
  });
  await expect(attempt((theirs) => theirs.write('x'.repeat(200)))).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
});

test('a duplex that is closed already fails at once', async () => {
  const [ours] = duplexPair();
  ours.destroy();
  await expect(drive(ours, line(), options)).rejects.toMatchObject({ code: 'LINK_LOST' });
});

test('writes the last word of a handshake before it is done', async () => {
  const [ours, theirs] = duplexPair();
  const heard = once(theirs, 'data');
  theirs.write('x');
  await drive(
    ours,
    { receive: () => ({ state: 'done', value: 1, rest: new Uint8Array(), send: Buffer.from('bye') }) },
    options,
  );
  expect(String((await heard)[0])).toBe('bye');
});

test('is given up when the signal is aborted, and leaves the duplex paused to its owner', async () => {
  const controller = new AbortController();
  const [ours, theirs] = duplexPair();
  const driven = drive(ours, line(), { ...options, signal: controller.signal });
  controller.abort();
  await expect(driven).rejects.toMatchObject({
    code: 'LINK_LOST',
    message: 'the handshake with the peer was given up',
  });
  theirs.write('late');
  expect([ours.destroyed, ours.isPaused(), ours.listenerCount('data')]).toEqual([false, true, 0]);
});
