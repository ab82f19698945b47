import { describe, expect, it } from '@jest/globals';
import { allBackendsFailed, allFailed, codeOfAttempt, dialError, nextHopError } from './failure.ts';

const failure = (code: string, message = code): Error => Object.assign(new Error(message), { code });
const target = { host: 'db.internal', port: 5432 };

describe('failures of a dial', () => {
  it.each([
    ['ECONNREFUSED', '10.0.0.1', 'CONNECTION_REFUSED'],
    ['EHOSTUNREACH', '10.0.0.1', 'HOST_UNREACHABLE'],
    ['EACCES', '10.0.0.1', 'HOST_UNREACHABLE'],
    ['ENETUNREACH', 'fd00::1', 'NETWORK_UNREACHABLE'],
    ['EADDRNOTAVAIL', 'fd00::1', 'NETWORK_UNREACHABLE'],
    ['EADDRNOTAVAIL', '10.0.0.1', 'OVERLOAD'],
    ['ETIMEDOUT', '10.0.0.1', 'DIAL_TIMEOUT'],
    ['EMFILE', '10.0.0.1', 'OVERLOAD'],
    ['EWHATEVER', '10.0.0.1', 'INTERNAL'],
  ])('%s of %s is %s', (errno, address, code) => {
    expect(codeOfAttempt(failure(errno), address)).toBe(code);
  });

  it('of several addresses are reported as the one that says most', () => {
    const attempts = [
      { address: 'fd00::1', error: failure('ENETUNREACH') },
      { address: '10.0.0.1', error: failure('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:5432') },
    ];
    expect(allFailed(target, attempts)).toMatchObject({
      code: 'CONNECTION_REFUSED',
      message: 'db.internal:5432 refused the connection.',
      cause: { message: 'ENETUNREACH; connect ECONNREFUSED 10.0.0.1:5432' },
    });
    expect(allFailed(target, [...attempts].reverse()).code).toBe('CONNECTION_REFUSED');
    expect(allFailed(target, [attempts[0]!])).toMatchObject({ code: 'NETWORK_UNREACHABLE', cause: attempts[0]!.error });
    expect(allFailed(target, []).code).toBe('INTERNAL');
  });

  it('of several backends say who refused, as the one that tells the client most', () => {
    const failed = [
      { backend: 'tcp://a:1', error: dialError('OVERLOAD', target, failure('EMFILE', 'no sockets')) },
      { backend: 'tcp://b:1', error: nextHopError('POLICY_DENIED', target, new Error('http://hop: no')) },
    ];
    expect(allBackendsFailed('web', failed)).toMatchObject({
      code: 'POLICY_DENIED',
      by: 'next-hop',
      cause: { message: 'tcp://a:1: no sockets; tcp://b:1: http://hop: no' },
    });
    expect(allBackendsFailed('web', failed.slice(0, 1)).by).toBe('us');
    expect(allBackendsFailed('web', [])).toMatchObject({ code: 'CONNECTION_REFUSED', by: 'us' });
  });

  it('tell the client what it asked for and nothing else', () => {
    for (const code of [
      'CONNECTION_REFUSED',
      'HOST_UNREACHABLE',
      'NETWORK_UNREACHABLE',
      'DIAL_TIMEOUT',
      'DNS_FAILED',
      'DNS_TIMEOUT',
      'OVERLOAD',
      'PEER_GONE',
      'INTERNAL',
    ] as const) {
      const { message } = dialError(code, target, failure('E', 'connect 10.9.8.7:6543'));
      expect(message).toMatch(/^db\.internal:5432 .*\.$/);
      expect(message).not.toContain('10.9.8.7');
    }
    expect(dialError('DNS_FAILED', { host: 'fd00::1', port: 1 }).message).toBe(
      '[fd00::1]:1 cannot be resolved by the egress.',
    );
  });
});
