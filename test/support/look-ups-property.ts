/**
 * The queue before the resolver, over a resolver that answers when it is told to, and what has to hold of it in any
 * order of asking, leaving and answering.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LookUps, QueueFull } from '../../packages/egress/src/dialer/look-ups.ts';

/** A queue over a resolver that answers when it is told to. */
export function lookUpQueue(options: { atOnce: number; maxWaitingPerOwner?: number; maxWaiting?: number }) {
  const running = new Map<
    string,
    { readonly resolve: (addresses: readonly string[]) => void; readonly reject: (error: Error) => void }
  >();
  const started: string[] = [];
  const lookUps = new LookUps({
    ...options,
    lookUp: (host) => {
      if (running.has(host)) throw new Error(`${host} is looked up twice at once`);
      started.push(host);
      return new Promise((resolve, reject) => {
        running.set(host, { resolve, reject });
      });
    },
  });
  const finish = async (host: string, error?: Error): Promise<void> => {
    const { resolve, reject } = running.get(host)!;
    running.delete(host);
    if (error) reject(error);
    else resolve([`address of ${host}`]);
    await new Promise(setImmediate);
  };
  /** One waiter: what became of it, and how it leaves. */
  const ask = (owner: string, host: string) => {
    const gone = new AbortController();
    const waiter = { owner, host, outcome: 'waits', leave: () => gone.abort('gone') };
    lookUps.resolve({ owner, host, gone: gone.signal }).then(
      ([address]) => {
        waiter.outcome = address!;
      },
      (error: unknown) => {
        waiter.outcome = error instanceof QueueFull ? 'full' : (error as Error).message;
      },
    );
    return waiter;
  };
  return { lookUps, running, started, finish, ask };
}

/** Every promise that can go on has gone on. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const owners = ['a', 'b', 'c', 'd'];
const bounds = { maxWaitingPerOwner: 4, maxWaiting: 9 };
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ask: fc.constantFrom(...owners), host: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ leave: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ finish: fc.nat(8), fails: fc.boolean() }) },
);

/** It holds its shares and bounds, nobody waits for nothing, and everybody gets the answer of the name asked for. */
export function lookUpsProperty(): fc.IAsyncProperty<unknown> {
  return fc.asyncProperty(
    fc.integer({ min: 2, max: 6 }),
    fc.array(operation, { maxLength: 80 }),
    async (atOnce, steps) => {
      const { lookUps, running, finish, ask } = lookUpQueue({ atOnce, ...bounds });
      const waiters: ReturnType<typeof ask>[] = [];
      const left = new Set<ReturnType<typeof ask>>();
      for (const step of steps) {
        if ('ask' in step) waiters.push(ask(step.ask, `host-${step.host}`));
        else if ('leave' in step) {
          const one = waiters[step.leave % Math.max(1, waiters.length)];
          if (one) left.add(one);
          one?.leave();
        } else {
          const host = [...running.keys()][step.finish % Math.max(1, running.size)];
          if (host !== undefined) await finish(host, step.fails ? new Error('ENOTFOUND') : undefined);
        }
        await settled();
        assert.equal(lookUps.running, running.size);
        assert(lookUps.running <= atOnce);
        for (const owner of owners) assert(lookUps.runningOf(owner) <= Math.ceil(atOnce / 2));
        assert(lookUps.waiting <= bounds.maxWaiting);
        assert(lookUps.running > 0 || lookUps.waiting === 0, 'names wait, and none is looked up');
      }
      while (running.size > 0) await finish([...running.keys()][0]!);
      for (const waiter of waiters) {
        if (!left.has(waiter)) assert.match(waiter.outcome, /^(full|ENOTFOUND|address of .*)$/);
        if (waiter.outcome.startsWith('address')) assert.equal(waiter.outcome, `address of ${waiter.host}`);
      }
      assert.deepEqual([lookUps.running, lookUps.waiting, lookUps.owners], [0, 0, 0]);
    },
  );
}
