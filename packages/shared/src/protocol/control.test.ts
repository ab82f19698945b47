import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, utf8 } from './bytes.ts';
import {
  awaitControlAnswer,
  awaitControlRequest,
  controlAccepted,
  controlData,
  controlEnd,
  ControlReader,
  controlRequest,
  controlReset,
  maxControlBytes,
  type ControlEvent,
} from './control.ts';
import type { Handshake, Step } from './handshake.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 12 });

function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) parts.push(bytes.subarray(at, (at += length)));
  return [...parts, bytes.subarray(at)];
}

function run<T>(handshake: Handshake<T>, chunks: readonly Uint8Array[]): Step<T> {
  let step: Step<T> = { state: 'more' };
  for (const [at, chunk] of chunks.entries()) {
    step = handshake.receive(chunk);
    if (step.state === 'done') return { ...step, rest: concat([step.rest, ...chunks.slice(at + 1)]) };
    if (step.state === 'failed') return step;
  }
  return step;
}

/** Events with neighbouring data put together, and the fault. */
function read(chunks: readonly Uint8Array[]): (string | undefined)[] {
  const reader = new ControlReader();
  const words: string[] = [];
  const say = (event: ControlEvent): string =>
    event.type === 'data'
      ? `data ${hex(event.bytes)}`
      : event.type === 'end'
        ? 'end'
        : `reset ${event.code}: ${event.reason}`;
  for (const event of chunks.flatMap((chunk) => reader.receive(chunk))) {
    if (event.type === 'data' && words.at(-1)?.startsWith('data ')) words[words.length - 1] += hex(event.bytes);
    else words.push(say(event));
  }
  return [...words, reader.fault];
}

describe('the control protocol', () => {
  test('has these bytes', () => {
    expect(hex(controlRequest('web'))).toBe('01000401776562');
    expect(hex(controlAccepted)).toBe('020000');
    expect(controlData(utf8('hi')).map(hex)).toEqual(['030002', '6869']);
    expect(hex(controlEnd)).toBe('040000');
    expect(hex(controlReset('POLICY_DENIED', 'no'))).toBe(`050010${hex(utf8('POLICY_DENIED no'))}`);
  });

  test('a request and an answer come through in any pieces, and what follows is the rest', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40, unit: 'grapheme' }),
        fc.uint8Array({ maxLength: 20 }),
        sizes,
        (destination, rest, lengths) => {
          expect(
            run(awaitControlRequest(), pieces(concat([controlRequest(destination), rest]), lengths)),
          ).toMatchObject({ state: 'done', value: Buffer.from(destination).toString() });
          const yes = run(awaitControlAnswer(), pieces(concat([controlAccepted, rest]), lengths));
          expect(yes.state === 'done' && [yes.value, hex(yes.rest)]).toEqual([undefined, hex(rest)]);
          expect(
            run(awaitControlAnswer(), pieces(concat([controlReset('DNS_FAILED', destination), rest]), lengths)),
          ).toMatchObject({ state: 'done', value: { code: 'DNS_FAILED' } });
        },
      ),
    );
  });

  test.each([
    ['another version', '0100020277', /version 2 .* different releases/],
    ['an answer', '020000', /does not begin with a request/],
    ['HTTP', '474554', /a first byte of 71/],
    ['a request that is too long', '010400', /a frame of 1027 bytes/],
    ['nothing in it', '010000', /version none/],
  ])('a request that is %s is refused', (_what, bytes, reason) => {
    expect(awaitControlRequest().receive(Buffer.from(bytes, 'hex'))).toEqual({
      state: 'failed',
      reason: expect.stringMatching(reason),
    });
  });

  test('the longest destination still is a request', () => {
    expect(run(awaitControlRequest(), [controlRequest('x'.repeat(5_000))])).toMatchObject({
      state: 'done',
      value: 'x'.repeat(maxControlBytes - 4),
    });
  });

  test('data, end and reset come through in any pieces, data at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
        fc.option(fc.string({ maxLength: 30, unit: 'grapheme-ascii' }), { nil: undefined }),
        sizes,
        (data, reason, lengths) => {
          const all = concat([
            ...data.flatMap(controlData),
            reason === undefined ? controlEnd : controlReset('CONNECTION_RESET', reason),
          ]);
          const together = hex(concat(data));
          expect(read(pieces(all, lengths))).toEqual([
            ...(together === '' ? [] : [`data ${together}`]),
            reason === undefined ? 'end' : `reset CONNECTION_RESET: ${reason}`,
            undefined,
          ]);
        },
      ),
    );
    expect(read([Uint8Array.of(3, 0, 9, 1)])).toEqual(['data 01', undefined]);
  });

  test('bytes that are longer than a frame go in several', () => {
    const bytes = new Uint8Array(200_000).map((_, at) => at);
    expect(read(controlData(bytes))).toEqual([`data ${hex(bytes)}`, undefined]);
  });

  test.each([
    ['bytes after the end', '04000003', 'bytes after the end'],
    ['an end with a payload', '04000100', 'a frame of type 4 with 1 bytes'],
    ['a reset that is too long', '05ffff', 'a frame of type 5 with 65535 bytes'],
    ['a request in the middle', '01', 'a frame of type 1'],
  ])('%s is a fault', (_what, bytes, fault) => {
    expect(read([Buffer.from(bytes, 'hex')]).at(-1)).toBe(fault);
  });

  test('no bytes throw, and any split of them says the same', () => {
    fc.assert(
      fc.property(
        fc
          .array(
            fc.oneof(
              fc.uint8Array({ maxLength: 12 }),
              fc.constantFrom(controlEnd, controlAccepted, controlReset('A', 'b'), concat(controlData(utf8('xyz')))),
            ),
            { maxLength: 6 },
          )
          .map(concat),
        sizes,
        (bytes, lengths) => {
          expect(read(pieces(bytes, lengths))).toEqual(read([bytes]));
          for (const handshake of [awaitControlRequest, awaitControlAnswer])
            expect(run<unknown>(handshake(), pieces(bytes, lengths)).state).toBe(
              run<unknown>(handshake(), [bytes]).state,
            );
        },
      ),
      { numRuns: 500 },
    );
  });
});
