import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/support/characters.ts';
import { AditError } from '../errors.ts';
import { denial, withAlert } from './connect-denial.ts';

test.each([
  [
    502,
    'adit; error=connection_refused; details="nothing \\"there\\""; adit-code=CONNECTION_REFUSED',
    'CONNECTION_REFUSED',
    'the proxy answered 502: nothing "there"',
  ],
  [
    403,
    'adit; error=http_request_denied; details="no"; adit-code=CLIENT_CERT_MISSING',
    'CLIENT_CERT_MISSING',
    'the proxy answered 403: no',
  ],
  [502, 'cache.example; error=dns_timeout', 'DNS_TIMEOUT', 'the proxy answered 502 (dns_timeout)'],
  [503, 'cache.example; error=something_new', 'HOST_UNREACHABLE', 'the proxy answered 503 (something_new)'],
  [508, 'cache.example; error=proxy_loop_detected', 'VIA_LOOP', 'the proxy answered 508 (proxy_loop_detected)'],
  [403, undefined, 'POLICY_DENIED', 'the proxy answered 403'],
  [407, undefined, 'POLICY_DENIED', 'the proxy answered 407'],
  [504, undefined, 'DIAL_TIMEOUT', 'the proxy answered 504'],
  [405, undefined, 'UNSUPPORTED', 'the proxy answered 405'],
  [502, undefined, 'HOST_UNREACHABLE', 'the proxy answered 502'],
  [200, 'x; adit-code=NO_ERROR', 'HOST_UNREACHABLE', 'the proxy answered 200'],
  [502, 'x; adit-code=USAGE', 'HOST_UNREACHABLE', 'the proxy answered 502'],
  [502, 'x; error=toString', 'HOST_UNREACHABLE', 'the proxy answered 502 (toString)'],
])('%i with %s is %s', (status, proxyStatus, code, message) => {
  expect(denial(status, proxyStatus)).toMatchObject({ code, message });
});

test('whatever the proxy says, it is one line', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.string({ unit: anyCharacter }), (status, text) => {
      expect(denial(status, `x; details="${text}"`).message).not.toMatch(/[\r\n]/);
    }),
  );
});

test('an alert about our certificate is said as that; any other failure stays what it is', () => {
  const failed = (code: string): AditError =>
    new AditError('LINK_LOST', 'the proxy closed the connection', { cause: Object.assign(new Error(code), { code }) });
  expect(withAlert(failed('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'x:443')).toMatchObject({
    code: 'CLIENT_CERT_UNKNOWN_CA',
    message: 'the proxy x:443 does not accept our certificate (TLSV1_ALERT_UNKNOWN_CA)',
  });
  expect(withAlert(failed('ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED'), 'x:443')).toMatchObject({
    code: 'CLIENT_CERT_REVOKED',
  });
  for (const other of [
    failed('ECONNRESET'),
    failed('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'),
    failed('ERR_SSL_toString'),
    new AditError('LINK_LOST', 'no cause'),
    new Error('x'),
    undefined,
  ])
    expect(withAlert(other, 'x:443')).toBe(other);
});
