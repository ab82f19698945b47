import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { race, type RaceOptions, type Way } from './race.ts';

const options = (changes: Partial<RaceOptions<string>> = {}): RaceOptions<string> => ({
  staggerMs: 60_000,
  signal: new AbortController().signal,
  goOn: () => true,
  discard: () => {},
  failed: (errors) => new Error(errors.map((error) => (error as Error).message).join(' and ')),
  ...changes,
});
const wins =
  (value: string): Way<string> =>
  () =>
    Promise.resolve(value);
const fails =
  (why: string): Way<string> =>
  () =>
    Promise.reject(new Error(why));
const hangs: Way<string> = (signal) =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
  );

test('the first way that gets there wins, and the second is not even started', async () => {
  let started = false;
  expect(
    await race(
      [
        wins('a'),
        () => {
          started = true;
          return hangs(new AbortController().signal);
        },
      ],
      options(),
    ),
  ).toBe('a');
  expect(started).toBe(false);
});

test('the next way starts when one fails, and beside one that hangs', async () => {
  expect(await race([fails('x'), wins('b')], options())).toBe('b');
  let stopped = false;
  const slow: Way<string> = (signal) => {
    signal.addEventListener('abort', () => {
      stopped = true;
    });
    return hangs(signal);
  };
  expect(await race([slow, wins('b')], options({ staggerMs: 1 }))).toBe('b');
  expect(stopped).toBe(true);
});

test('a result that comes too late is discarded', async () => {
  const late: string[] = [];
  let finish!: (value: string) => void;
  const first: Way<string> = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  expect(await race([first, wins('b')], options({ staggerMs: 1, discard: (value) => late.push(value) }))).toBe('b');
  finish('a');
  await new Promise(setImmediate);
  expect(late).toEqual(['a']);
});

test('all failures make one error, in the order of the ways; an error that every way meets ends it', async () => {
  await expect(race([fails('x'), fails('y')], options())).rejects.toThrow('x and y');
  await expect(race([fails('x'), wins('b')], options({ goOn: () => false }))).rejects.toThrow('x');
});

test('an error that every way meets starts none, and does not stop one that runs', async () => {
  let finish!: (value: string) => void;
  const slow: Way<string> = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const racing = race([slow, fails('x'), wins('c')], options({ staggerMs: 1, goOn: () => false }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  finish('a');
  expect(await racing).toBe('a');
});

test('told to stop, it stops every way that runs', async () => {
  const stop = new AbortController();
  const racing = race([hangs, hangs], options({ staggerMs: 1, signal: stop.signal }));
  stop.abort();
  await expect(racing).rejects.toThrow('stopped');
});

test('settles once, whatever the ways do and in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
      async (scheduler, ends) => {
        const given: string[] = [];
        const ways = ends.map(
          (good, at): Way<string> =>
            () =>
              scheduler.schedule(Promise.resolve()).then(() => {
                if (!good) throw new Error(`${at}`);
                return `${at}`;
              }),
        );
        const racing = race(ways, options({ discard: (value) => given.push(value) })).then(
          (value) => {
            given.push(value);
            return true;
          },
          () => false,
        );
        expect(await scheduler.waitFor(racing)).toBe(ends.includes(true));
        expect(new Set(given).size).toBe(given.length);
      },
    ),
  );
});
