import { expect, test } from '@jest/globals';
import { WaitingBytes } from './waiting.ts';

/** An account of 1,000 bytes for each identity, and streams that note when they are cut. */
function make() {
  const waiting = new WaitingBytes(1_000);
  const cut: string[] = [];
  const stream = (name: string, identity = 'alice') =>
    waiting.stream(identity, ({ code, detail = '' }) => cut.push(`${name} ${code} ${/^\d+/.exec(detail)?.[0]}`));
  return { waiting, cut, stream };
}

const turn = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

test('holds up to the limit for all streams of an identity together', async () => {
  const { waiting, cut, stream } = make();
  const [one, other] = [stream('one'), stream('other')];

  one.set(600);
  other.set(400);
  one.set(500);
  other.set(500);
  await turn();

  expect(cut).toEqual([]);
  expect(waiting.bytesOf('alice')).toBe(1_000);
});

test('cuts the stream that holds most, once and not within the call, and the others go on', async () => {
  const { waiting, cut, stream } = make();
  const [one, other] = [stream('one'), stream('other')];
  one.set(900);

  other.set(101);
  expect(cut).toEqual([]);
  await turn();
  one.set(5_000);
  other.set(1_000);
  await turn();

  expect(cut).toEqual(['one OVERLOAD 1001']);
  expect(waiting.bytesOf('alice')).toBe(1_000);
});

test('a stream alone over the limit is cut', async () => {
  const { cut, stream } = make();

  stream('one').set(1_001);
  await turn();

  expect(cut).toEqual(['one OVERLOAD 1001']);
});

test('identities do not count for each other, and none is kept that has no stream', async () => {
  const { waiting, cut, stream } = make();
  const [alice, bob] = [stream('one'), stream('two', 'bob')];

  alice.set(1_000);
  bob.set(1_000);
  await turn();
  expect([cut, waiting.identities]).toEqual([[], 2]);
  alice.release();
  alice.release();
  bob.release();

  expect([waiting.identities, waiting.bytesOf('alice')]).toEqual([0, 0]);
});
