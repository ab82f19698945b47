import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Discovery, inOrder } from './discovery.ts';

const srv = { kind: 'srv', name: '_adit._tcp.example.org' } as const;
const record = (name: string, priority: number, weight: number) => ({ name, priority, weight, port: 8443 });

test('named egresses keep their order, those of SRV records come by priority, each of them once', async () => {
  const discovery = new Discovery({
    addresses: [{ kind: 'address', host: 'a.example.org', port: 8443 }, srv],
    random: () => 0,
    resolveSrv: async () => [
      record('c.example.org', 20, 0),
      record('b.example.org.', 10, 0),
      record('A.example.org', 10, 5),
    ],
  });
  expect((await discovery.find()).map(({ host }) => host)).toEqual(['a.example.org', 'b.example.org', 'c.example.org']);
  expect(discovery.changes).toBe(true);
});

test('a lookup that fails keeps the last answer, and is an error only before the first one', async () => {
  let answer: Promise<ReturnType<typeof record>[]> = Promise.reject(
    Object.assign(new Error('no'), { code: 'ENOTFOUND' }),
  );
  const discovery = new Discovery({ addresses: [srv], random: () => 0, resolveSrv: () => answer });
  await expect(discovery.find()).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: 'the SRV records of _adit._tcp.example.org cannot be looked up (ENOTFOUND)',
  });
  answer = Promise.resolve([record('a.example.org', 1, 1)]);
  await discovery.find();
  answer = Promise.reject(new Error('down'));
  expect(await discovery.find()).toEqual([{ kind: 'address', host: 'a.example.org', port: 8443 }]);
});

test('a single record of "." means that there is no egress', async () => {
  expect(
    await new Discovery({ addresses: [srv], random: () => 0, resolveSrv: async () => [record('.', 0, 0)] }).find(),
  ).toEqual([]);
});

test('within a priority the draw follows the weights (RFC 2782)', () => {
  const records = [record('heavy', 1, 90), record('light', 1, 10)];
  let first = 0;
  const draws = 2_000;
  for (let n = 0; n < draws; n++) if (inOrder(records, () => (n + 0.5) / draws)[0]!.name === 'heavy') first++;
  expect(first / draws).toBeGreaterThan(0.85);
  expect(first / draws).toBeLessThan(0.95);
});

test('nothing is lost or doubled, and priorities never mix', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: fc.string(), priority: fc.nat(3), weight: fc.nat(100), port: fc.nat(65535) })),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (records, drawn) => {
        const ordered = inOrder(records, () => drawn);
        expect(ordered).toHaveLength(records.length);
        expect(new Set(ordered)).toEqual(new Set(records));
        for (let n = 1; n < ordered.length; n++)
          expect(ordered[n]!.priority).toBeGreaterThanOrEqual(ordered[n - 1]!.priority);
      },
    ),
  );
});
