/**
 * A stream that may move, as transcripts: what each egress hears and what its owner is told. The egresses are in
 * memory; time passes when the test says so.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOfWire, wireOfCode } from '../errors.ts';
import { encodeOpen } from '../protocol/open.ts';
import { MemorySession, type MemoryStream } from '../../../../test/support/memory-session.ts';
import { MovableStream } from './movable-stream.ts';

const payload = encodeOpen({ destination: { kind: 'service', service: 'web' } });
const connectTimeoutMs = 10_000;
const moved = 'RESET PEER_GONE';

/** An egress in memory; `its` is the stream that was opened there. */
class Egress extends MemorySession {
  its: MemoryStream | undefined;

  override open(bytes: Uint8Array): MemoryStream {
    return (this.its = super.open(bytes));
  }

  falls(how: 'doubted' | 'silent' | 'answering'): void {
    this.doubted = how !== 'answering';
    this.silent = how === 'silent';
  }
}

interface Scene {
  readonly first: Egress;
  readonly second: Egress;
  readonly stream: MovableStream;
  readonly told: string[];
  /** Lets so much time pass and looks. */
  after(ms: number): void;
}

function begin({ alone = false } = {}): Scene {
  const [first, second] = [new Egress(), new Egress()];
  const sinceMs = Math.floor(performance.now()); // so that sums and differences are exact
  const stream = new MovableStream({
    payload,
    opener: first,
    openers: {
      connectTimeoutMs,
      get session() {
        return [first, ...(alone ? [] : [second])].find(({ over, doubted }) => !over && !doubted);
      },
    },
    sinceMs,
  });
  const told: string[] = [];
  stream.events = {
    opened: () => told.push('opened'),
    refused: ({ code, reason }) => told.push(`refused ${codeOfWire(code)}: ${reason}`),
    reset: ({ code }) => told.push(`reset ${codeOfWire(code)}`),
    data: (bytes) => told.push(String(bytes)),
    end: () => told.push('end'),
    writable: () => told.push('writable'),
  };
  return { first, second, stream, told, after: (ms) => stream.look(sinceMs + ms) };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('an egress that answers keeps the stream, however long it dials', () => {
  const { first, second, stream, told, after } = begin();
  after(60_000);
  first.its!.opens();
  stream.sendView(bytes('hello'));
  expect([first.heard, second.heard, told]).toEqual([['OPEN', 'hello'], [], ['opened']]);
  expect(stream.opener).toBe(first);
});

test('a doubt moves nothing; silence does, and the first OPEN is followed by a RESET', () => {
  const { first, second, stream, told, after } = begin();
  first.falls('doubted');
  after(1_000);
  expect(second.heard).toEqual([]);
  first.falls('silent');
  after(2_000);
  expect([first.heard, second.heard, stream.opener]).toEqual([['OPEN', moved], ['OPEN'], second]);
  second.its!.opens();
  stream.sendView(bytes('hello'));
  expect([first.heard, second.heard, told]).toEqual([['OPEN', moved], ['OPEN', 'hello'], ['opened']]);
});

test('what is read during a doubt is held, and goes where the stream goes', () => {
  const { first, second, stream, told, after } = begin();
  first.falls('doubted');
  expect([stream.canSend(), stream.sendCopy(bytes('early')), stream.canSend()]).toEqual([false, false, false]);
  stream.finish();
  first.falls('silent');
  after(2_000);
  expect([first.heard, second.heard]).toEqual([
    ['OPEN', moved],
    ['OPEN', 'early', 'FIN'],
  ]);
  expect(told).toEqual([]);
});

test('what was held goes to the first egress when that answers again, and the source goes on', () => {
  const { first, second, stream, told, after } = begin();
  first.falls('doubted');
  stream.sendView(bytes('early'));
  first.falls('answering');
  after(1_500);
  expect([first.heard, second.heard, told]).toEqual([['OPEN', 'early'], [], ['writable']]);
});

test('a source that was told to wait, and had nothing, goes on too', () => {
  const { first, stream, told, after } = begin();
  first.falls('doubted');
  expect(stream.canSend()).toBe(false);
  after(1_000);
  expect(told).toEqual([]);
  first.falls('answering');
  after(1_250);
  after(1_500);
  expect(told).toEqual(['writable']);
});

test('an answer that comes in a doubt is an answer', () => {
  const { first, stream, told } = begin();
  first.falls('doubted');
  stream.sendView(bytes('early'));
  first.its!.opens();
  expect([first.heard, told]).toEqual([
    ['OPEN', 'early'],
    ['opened', 'writable'],
  ]);
});

test('what was held goes before what its owner sends when it is opened', () => {
  const { first, stream, told } = begin();
  first.falls('doubted');
  stream.sendView(bytes('one'));
  stream.events = { ...stream.events, opened: () => stream.sendView(bytes('two')) };
  first.its!.opens();
  expect([first.heard, told]).toEqual([['OPEN', 'one', 'two'], ['writable']]);
});

test('once DATA has gone the stream stays, and is refused at the connect timeout', () => {
  const { first, second, stream, told, after } = begin();
  stream.sendView(bytes('early'));
  first.falls('silent');
  after(connectTimeoutMs - 1);
  expect([first.heard, told]).toEqual([['OPEN', 'early'], []]);
  after(connectTimeoutMs);
  after(connectTimeoutMs + 250);
  expect([first.heard, second.heard]).toEqual([['OPEN', 'early', moved], []]);
  expect(told).toEqual(['refused LINK_TIMEOUT: the egress did not answer within 10 s']);
  expect(stream.dead).toBe(true);
});

test('without another egress it waits for the first, and is refused at the connect timeout', () => {
  const { first, stream, told, after } = begin({ alone: true });
  first.falls('silent');
  stream.sendView(bytes('held'));
  after(connectTimeoutMs - 1);
  after(connectTimeoutMs);
  expect([first.heard, told.length]).toEqual([['OPEN', moved], 1]);
});

test('a stream that was answered never moves', () => {
  const { first, second, told, after } = begin();
  first.its!.opens();
  first.falls('silent');
  first.over = true;
  after(60_000);
  first.its!.resets('NOT_RESUMABLE');
  expect([second.heard, told]).toEqual([[], ['opened', 'reset NOT_RESUMABLE']]);
});

test('where the session ends it moves at once, or ends as the session did', () => {
  const one = begin();
  one.first.over = true;
  one.first.its!.resets('NOT_RESUMABLE');
  expect([one.second.heard, one.told]).toEqual([['OPEN'], []]);
  const two = begin({ alone: true });
  two.first.over = true;
  two.first.its!.resets('NOT_RESUMABLE');
  expect(two.told).toEqual(['reset NOT_RESUMABLE']);
});

test('a refusal of the egress is final, even of one that takes no more streams', () => {
  const { first, second, told } = begin();
  first.over = true;
  first.its!.refuses('POLICY_DENIED');
  expect([second.heard, told]).toEqual([[], ['refused POLICY_DENIED: the egress says no']]);
});

test('a request to a proxy whose connection broke goes to the next', () => {
  const { first, second, told } = begin();
  first.over = true;
  first.its!.refuses('LINK_LOST');
  expect([second.heard, told]).toEqual([['OPEN'], []]);
});

test('an owner that resets it is not told anything, and nothing moves', () => {
  const { first, second, stream, told, after } = begin();
  stream.reset({ code: wireOfCode('PEER_GONE'), reason: 'the client left' });
  first.falls('silent');
  after(60_000);
  expect([first.heard, second.heard, told]).toEqual([['OPEN', 'RESET PEER_GONE'], [], []]);
});

const operations = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('fall' as const),
      who: fc.nat(1),
      how: fc.constantFrom('doubted', 'silent', 'answering'),
    }),
    fc.record({ do: fc.constantFrom('send', 'look', 'late', 'finish', 'over', 'answer', 'refuse') }),
  ),
  { maxLength: 30 },
);

test('whatever happens, one egress at most gets DATA, in order, and the owner is told one end at most', () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const { first, second, stream, told, after } = begin();
      let sent = '';
      let finished = false;
      for (const [n, step] of steps.entries()) {
        const here = stream.opener === first ? first : second;
        const live = !here.its!.dead && !told.some((what) => /^re(fused|set)/.test(what));
        if (step.do === 'fall') [first, second][step.who]!.falls(step.how);
        else if (step.do === 'send' && live && !finished) {
          sent += String.fromCharCode(97 + n);
          stream.sendCopy(bytes(String.fromCharCode(97 + n)));
        } else if (step.do === 'finish' && live) {
          stream.finish();
          finished = true;
        } else if (step.do === 'look' || step.do === 'late') after(step.do === 'late' ? connectTimeoutMs : 500);
        else if (!live || told.includes('opened')) continue;
        else if (step.do === 'over') {
          here.over = true;
          here.its!.resets('LINK_LOST');
        } else if (step.do === 'answer') here.its!.opens();
        else if (step.do === 'refuse') here.its!.refuses('POLICY_DENIED');
      }
      const data = (egress: Egress): string => egress.heard.filter((what) => /^[a-z\x7b-\x7f]$/.test(what)).join('');
      expect([data(first), data(second)]).toContain('');
      expect(sent.startsWith(data(first) + data(second))).toBe(true);
      for (const { heard } of [first, second])
        for (const [at, what] of heard.entries())
          if (what.startsWith('RESET')) expect(['OPEN', undefined]).toContain(heard[at + 1]);
      expect(told.filter((what) => /^re(fused|set)/.test(what)).length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2_000 },
  );
});
