import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backendsOf, serviceOf, type ServiceText } from '../../../../test/support/pool-services.ts';
import { circuitBounds, Pool, type HealthChange } from './pool.ts';

const name = (letter: string): string => `tcp://${letter}:1`;

function poolOf(written: ServiceText): {
  readonly pool: Pool;
  readonly changes: string[];
  readonly last: () => HealthChange | undefined;
  next(options?: { readonly key?: string; readonly tried?: readonly string[]; readonly permitted?: string }): string;
} {
  const changes: string[] = [];
  let last: HealthChange | undefined;
  const pool = new Pool(serviceOf(written), (change) => {
    last = change;
    changes.push(`${change.backend[6]!}${change.isUp ? '+' : '-'} ${change.up}/${change.all}`);
  });
  return {
    pool,
    changes,
    last: () => last,
    next: ({ key = 'k', tried = [], permitted } = {}) =>
      pool.choose({
        permitted: pool.service.backends.filter((one) => permitted === undefined || permitted.includes(one.name[6]!)),
        tried: new Set(tried.map(name)),
        key,
      })?.backend.name[6] ?? '',
  };
}

const three = { backends: backendsOf(1, 1, 1) };
const fail = (pool: Pool, letter: string, times: number = circuitBounds.fall): void => {
  for (let at = 0; at < times; at++) pool.report(name(letter), 'refused');
};

describe('a pool', () => {
  it('takes turns by weight, and never chooses weight 0', () => {
    const { next } = poolOf({ backends: backendsOf(2, 1, 0) });
    expect(Array.from({ length: 6 }, () => next()).join('')).toBe('abaaba');
    expect(next({ permitted: 'c' })).toBe('');
  });

  it('counts each connection once, until it is over', () => {
    const { pool, next } = poolOf({ ...three, balance: 'least-connections' });
    const release = pool.take(name('a'));
    pool.take(name('b'));
    expect(Array.from({ length: 3 }, () => next()).join('')).toBe('ccc');
    release();
    release();
    expect([pool.openOf(name('a')), pool.openOf(name('b'))]).toEqual([0, 1]);
  });

  it('keeps a caller at one backend, and moves only the callers of a backend that is down', () => {
    const { pool, next } = poolOf({ ...three, balance: 'source' });
    const keys = Array.from({ length: 300 }, (_, at) => `caller ${at}`);
    const before = keys.map((key) => next({ key }));
    expect(keys.map((key) => next({ key }))).toEqual(before);
    expect(new Set(before)).toEqual(new Set(['a', 'b', 'c']));
    fail(pool, 'b');
    keys.forEach((key, at) => {
      if (before[at] === 'b') expect('ac').toContain(next({ key }));
      else expect(next({ key })).toBe(before[at]);
    });
  });

  it('never chooses a backend that was tried or is not permitted, and says how many are left', () => {
    const { pool, next } = poolOf(three);
    expect(next({ tried: ['a', 'b'] })).toBe('c');
    expect(next({ tried: ['a', 'b', 'c'] })).toBe('');
    expect(next({ permitted: 'b' })).toBe('b');
    expect(pool.choose({ permitted: pool.service.backends, tried: new Set(), key: 'k' })).toMatchObject({ others: 2 });
    fail(pool, 'a');
    expect(pool.choose({ permitted: pool.service.backends, tried: new Set(), key: 'k' })).toMatchObject({ others: 1 });
  });

  it('opens the circuit after failures in a row, and reports how many are left', () => {
    const { pool, changes, last, next } = poolOf({ backends: [...backendsOf(1, 1), { address: 'c:1', weight: 0 }] });
    fail(pool, 'a', 2);
    pool.report(name('a'));
    fail(pool, 'a', 2);
    expect(pool.isUp(name('a'))).toBe(true);
    fail(pool, 'a', 1);
    expect(changes).toEqual(['a- 1/2']);
    expect(last()).toMatchObject({ backend: name('a'), reason: 'refused', service: { name: 'web' } });
    expect([next(), next()].join('')).toBe('bb');
    pool.report(name('a'));
    expect([changes, pool.isUp(name('a'))]).toEqual([['a- 1/2', 'a+ 2/2'], true]);
  });

  it('tries backends that are down when no other is left, in the order of the file', () => {
    const { pool, next, changes } = poolOf(three);
    for (const letter of 'abc') fail(pool, letter);
    expect(changes).toEqual(['a- 2/3', 'b- 1/3', 'c- 0/3']);
    expect([next(), next({ tried: ['a'] }), next({ tried: ['a', 'b'] })].join('')).toBe('abc');
  });

  it('follows `rise` and `fall` of the health checks', () => {
    const { pool, changes } = poolOf({ ...three, health: { rise: 2, fall: 1 } });
    pool.report(name('a'), 'refused');
    pool.report(name('a'));
    pool.report(name('a'));
    expect(changes).toEqual(['a- 2/3', 'a+ 3/3']);
  });

  it('of a single backend without `health` keeps and reports nothing', () => {
    const { pool, changes, next } = poolOf('tcp://a:1');
    fail(pool, 'a', 20);
    expect([pool.watched, changes, pool.isUp(name('a')), next()]).toEqual([false, [], true, 'a']);
    expect(poolOf({ backends: backendsOf(1), health: {} }).pool.watched).toBe(true);
  });

  it('keeps what it knows of the backends that a reload keeps, and forgets the others', () => {
    const { pool, next } = poolOf({ ...three, balance: 'least-connections' });
    fail(pool, 'a');
    const release = pool.take(name('b'));
    pool.take(name('c'));
    pool.replace(serviceOf({ backends: backendsOf(1, 5), balance: 'least-connections' }));
    expect([pool.isUp(name('a')), pool.openOf(name('b')), pool.openOf(name('c')), next()]).toEqual([false, 1, 0, 'b']);
    pool.replace(serviceOf(three));
    expect(pool.openOf(name('c'))).toBe(0);
    release();
    expect(pool.openOf(name('b'))).toBe(0);
  });
});

describe('whatever happens to a pool', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('report' as const), at: fc.nat(4), ok: fc.boolean() }),
    fc.record({
      kind: fc.constant('take' as const),
      tried: fc.subarray([0, 1, 2, 3, 4]),
      key: fc.string({ maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('release' as const), at: fc.nat(40) }),
    fc.record({
      kind: fc.constant('reload' as const),
      weights: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }).filter((list) => list.some((one) => one > 0)),
    }),
  );

  it(
    'it chooses an untried backend of weight that is up where there is one, counts no connection twice, and reports ' +
      'every change once',
    () => {
      fc.assert(
        fc.property(
          fc.constantFrom('round-robin', 'least-connections', 'source'),
          fc.array(step, { maxLength: 120 }),
          (balance, steps) => {
            const told = new Map<string, boolean>();
            const pool = new Pool(
              serviceOf({ backends: backendsOf(1, 2, 0), balance }),
              ({ backend, isUp, up, all }) => {
                expect(told.get(backend) ?? true).toBe(!isUp);
                expect(up).toBeLessThanOrEqual(all);
                told.set(backend, isUp);
              },
            );
            const held: (() => void)[] = [];
            for (const one of steps) {
              const { backends } = pool.service;
              if (one.kind === 'report')
                pool.report(backends[one.at]?.name ?? 'tcp://gone:1', one.ok ? undefined : 'refused');
              else if (one.kind === 'release') held[one.at]?.();
              else if (one.kind === 'reload') {
                pool.replace(serviceOf({ backends: backendsOf(...one.weights), balance }));
                const kept = new Set(pool.service.backends.map((backend) => backend.name));
                for (const backend of told.keys()) if (!kept.has(backend)) told.delete(backend);
              } else {
                const tried = new Set(one.tried.flatMap((at) => (backends[at] ? [backends[at].name] : [])));
                const left = backends.filter(({ name: called, weight }) => weight > 0 && !tried.has(called));
                const up = left.filter(({ name: called }) => pool.isUp(called));
                const choice = pool.choose({ permitted: backends, tried, key: one.key });
                if (!choice) expect(left).toEqual([]);
                else {
                  expect(up.length > 0 ? up : left).toContain(choice.backend);
                  expect(choice.others).toBe((up.length > 0 ? up : left).length - 1);
                  held.push(pool.take(choice.backend.name));
                }
              }
              for (const { name: called } of pool.service.backends)
                expect(pool.openOf(called)).toBeGreaterThanOrEqual(0);
            }
            for (const release of held) release();
            for (const { name: called } of pool.service.backends) expect(pool.openOf(called)).toBe(0);
          },
        ),
        { numRuns: 200 },
      );
    },
  );
});
