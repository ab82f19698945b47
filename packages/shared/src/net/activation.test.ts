import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkActivation, takeActivation } from './activation.ts';

const take = (environment: Record<string, string>): ReturnType<typeof takeActivation> =>
  takeActivation({ ...environment }, 42);
const two = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:db.socket' };

describe('sockets of systemd', () => {
  test('have descriptors from 3 on, and names; without names each is called "unknown"', () => {
    expect(take(two)).toEqual({
      sockets: [
        { fd: 3, name: 'web' },
        { fd: 4, name: 'db.socket' },
      ],
      none: '',
    });
    expect(take({ LISTEN_PID: '42', LISTEN_FDS: '1' })).toEqual({ sockets: [{ fd: 3, name: 'unknown' }], none: '' });
  });

  test('are gone from the environment once they were taken, and nothing else is', () => {
    const environment = { ...two, LISTEN_PIDFDID: '7', HOME: '/root' };
    takeActivation(environment, 42);
    expect(environment).toEqual({ HOME: '/root' });
  });

  test.each([
    [{}, /no sockets: the service has to be started by its .socket unit/],
    [{ LISTEN_FDS: '1' }, /no sockets/],
    [{ LISTEN_PID: '42', LISTEN_FDS: '0' }, /no sockets/],
    [{ ...two, LISTEN_PID: '41' }, /are for process 41, and this is 42: ExecStart=/],
  ])('are none where they are for nobody, or for somebody else: %j', (environment, reason) => {
    expect(take(environment)).toEqual({ sockets: [], none: expect.stringMatching(reason) });
  });

  test.each([
    [{ ...two, LISTEN_FDS: 'x' }, /LISTEN_FDS is "x", which is not a number/],
    [{ ...two, LISTEN_FDS: '-1' }, /not a number/],
    [{ ...two, LISTEN_FDS: '3' }, /says 3 sockets, and LISTEN_FDNAMES has 2 names/],
  ])('are an error where they are malformed: %j', (environment, reason) => {
    expect(() => take(environment)).toThrow(
      expect.objectContaining({ code: 'ACTIVATION_INVALID', exitStatus: 2, message: expect.stringMatching(reason) }),
    );
  });

  test('never come out of any other environment than a proper one', () => {
    const value = fc.option(fc.oneof(fc.string(), fc.constantFrom('42', '1', '2', 'a', 'a:b')), { nil: undefined });
    fc.assert(
      fc.property(value, value, value, (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES) => {
        try {
          const { sockets, none } = takeActivation({ LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES }, 42);
          expect(sockets.length > 0).toBe(none === '');
          if (sockets.length > 0) expect([LISTEN_PID, Number(LISTEN_FDS)]).toEqual(['42', sockets.length]);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ACTIVATION_INVALID' });
        }
      }),
    );
  });
});

describe('the names of options', () => {
  const check = (activation: ReturnType<typeof take> | undefined, asked: string[]): void =>
    checkActivation(activation, [{ kind: 'tcp' }, ...asked.map((name) => ({ kind: 'systemd', name }) as const)]);
  const sockets = take({ LISTEN_PID: '42', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:web:db' });

  test('agree with the sockets, where several may have one name', () => {
    expect(() => check(sockets, ['db', 'web'])).not.toThrow();
  });
  test('may be none, where there is no socket', () => {
    expect(() => check(take({}), [])).not.toThrow();
  });

  test.each([
    [sockets, ['web', 'db', 'wbe'], /^systemd:wbe is not there: systemd handed over "web", "db"$/],
    [take({}), ['web'], /^systemd:web is not there: systemd handed over no sockets/],
    [undefined, ['web'], /^systemd:web is not there: this process accepts no sockets from systemd$/],
    [
      sockets,
      ['web'],
      new RegExp(
        '^systemd handed over "db", and no option listens there, ' +
          '.*--socks systemd:db, or take it out of the .socket unit$',
      ),
    ],
  ])('are refused where one is missing or not asked for', (activation, asked, message) => {
    expect(() => check(activation, asked)).toThrow(
      expect.objectContaining({ code: 'ACTIVATION_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
