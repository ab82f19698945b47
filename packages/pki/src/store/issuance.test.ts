import { expect, test } from '@jest/globals';
import type { Code } from '@adit/shared/errors';
import { decideSubject, groupsBack, wayBack, type Ask } from './issuance.ts';
import { emptyRegister, type Entry } from './register.ts';

const now = new Date('2030-02-01');
const entry = (over: Partial<Entry> = {}): Entry => ({
  name: 'alice',
  kind: 'client',
  serial: '0A',
  groups: ['dev'],
  notBefore: new Date('2030-01-01'),
  notAfter: new Date('2030-04-01'),
  ...over,
});
const expired = { notAfter: new Date('2030-01-15') };
const revoked = { revoked: { at: new Date('2030-01-15'), reason: 'keyCompromise' as const } };
const decide = (ask: Ask, entries: readonly Entry[], renew = false): unknown =>
  decideSubject(ask, { register: { ...emptyRegister, entries }, renew, now });
const fails = (code: Code): unknown => expect.objectContaining({ code });
const alice: Ask = { kind: 'client', name: 'alice' };

test('a new name gets what it asks for', () => {
  expect(decide({ kind: 'client', name: 'alice', groups: ['a'] }, [])).toEqual({
    kind: 'client',
    name: 'alice',
    groups: ['a'],
  });
  expect(decide({ kind: 'egress', name: 'edge', hosts: ['a.b'] }, [])).toEqual({
    kind: 'egress',
    name: 'edge',
    hosts: [{ kind: 'dns', text: 'a.b' }],
  });
});
test('a name with a valid certificate is taken; one whose certificates ended is free, without its old groups', () => {
  expect(() => decide(alice, [entry()])).toThrow(fails('NAME_TAKEN'));
  expect(decide(alice, [entry(expired), entry({ serial: '0B', ...revoked })])).toEqual({
    kind: 'client',
    name: 'alice',
    groups: [],
  });
});
test('a name belongs to one kind and one spelling', () => {
  for (const renew of [false, true])
    expect(() =>
      decide(
        { kind: 'egress', name: 'alice', hosts: ['a'] },
        [entry(), entry({ kind: 'egress', hosts: ['a'], serial: '0B', ...expired })],
        renew,
      ),
    ).toThrow(fails('NAME_TAKEN'));
  expect(() => decide({ kind: 'client', name: 'Alice' }, [entry()])).toThrow(fails('NAME_TAKEN'));
});
test('a renewal takes over groups and hosts of the newest, unless given', () => {
  const entries = [entry(), entry({ serial: '0B', groups: ['ops'] })];
  expect(decide(alice, entries, true)).toMatchObject({ groups: ['ops'] });
  expect(decide({ ...alice, groups: ['new'] }, entries, true)).toMatchObject({ groups: ['new'] });
  expect(decide(alice, [entry(expired)], true)).toMatchObject({ groups: ['dev'] });
  expect(
    decide({ kind: 'egress', name: 'edge' }, [entry({ name: 'edge', kind: 'egress', hosts: ['a.b', '::1'] })], true),
  ).toMatchObject({ hosts: [{ text: 'a.b' }, { text: '::1' }] });
});
test('a renewal takes nothing over from what was revoked', () => {
  expect(decide(alice, [entry(), entry({ serial: '0B', groups: ['admin'], ...revoked })], true)).toMatchObject({
    groups: ['dev'],
  });
  expect(() => decide(alice, [entry(revoked)], true)).toThrow(fails('NOT_FOUND'));
  expect(() => decide(alice, [], true)).toThrow(fails('NOT_FOUND'));
});
test('what was revoked comes back when it is asked for by that word, with groups and hosts', () => {
  const decideAgain = (ask: Ask, entries: readonly Entry[]): unknown =>
    decideSubject(ask, { register: { ...emptyRegister, entries }, renew: false, reinstate: true, now });
  const gone = entry({ serial: '0B', groups: ['admin'], ...revoked });
  expect(decideAgain(alice, [entry(expired), gone])).toMatchObject({ groups: ['admin'] });
  expect(decideAgain({ ...alice, groups: ['new'] }, [gone])).toMatchObject({ groups: ['new'] });
  const edge = entry({ name: 'edge', kind: 'egress', hosts: ['a.b'], ...revoked });
  expect(decideAgain({ kind: 'egress', name: 'edge' }, [edge])).toMatchObject({ hosts: [{ text: 'a.b' }] });
  expect(() => decideAgain(alice, [gone, entry({ serial: '0C', ...expired })])).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', advice: 'Use --renew.' }),
  );
  expect(() => decideAgain(alice, [])).toThrow(fails('NOT_FOUND'));
  // Another certificate of hers is valid: it may not be doubled.
  expect(() => decideAgain(alice, [entry(), gone])).toThrow(fails('NAME_TAKEN'));
});
test('the way back is named where a revocation is in the way', () => {
  const register = { ...emptyRegister, entries: [entry(revoked)] };
  const advice = expect.stringMatching(/^"adit ca issue client alice --reinstate" issues .* its groups \(dev\); /);
  expect(() => decide(alice, register.entries, true)).toThrow(expect.objectContaining({ code: 'NOT_FOUND', advice }));
  expect(wayBack(alice, register)).toEqual(advice);
  expect(groupsBack(alice, register)).toContain('--renew --group dev"');
  expect(groupsBack({ ...alice, groups: ['x'] }, register)).toBeUndefined();
  expect(groupsBack(alice, { ...register, entries: [entry({ ...revoked, groups: [] })] })).toBeUndefined();
  expect(wayBack({ ...alice, groups: [] }, register)).toBeUndefined();
  expect(wayBack(alice, { ...emptyRegister, entries: [entry(expired)] })).toBeUndefined();
});
test('unusable names are refused', () => {
  expect(() => decide({ kind: 'client', name: '../x' }, [])).toThrow(fails('NAME_INVALID'));
  expect(() => decide({ kind: 'egress', name: 'edge' }, [])).toThrow(fails('USAGE'));
});
