import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { denial } from './denial.ts';

test.each([
  [502, 'adit; error=connection_refused; details="nothing \\"there\\""; adit-code=CONNECTION_REFUSED', 'CONNECTION_REFUSED', 'the proxy answered 502: nothing "there"'],
  [403, 'adit; error=http_request_denied; details="no"; adit-code=CLIENT_CERT_MISSING', 'CLIENT_CERT_MISSING', 'the proxy answered 403: no'],
  [502, 'cache.example; error=dns_timeout', 'DNS_TIMEOUT', 'the proxy answered 502 (dns_timeout)'],
  [503, 'cache.example; error=something_new', 'HOST_UNREACHABLE', 'the proxy answered 503 (something_new)'],
  [403, undefined, 'POLICY_DENIED', 'the proxy answered 403'],
  [407, undefined, 'POLICY_DENIED', 'the proxy answered 407'],
  [504, undefined, 'DIAL_TIMEOUT', 'the proxy answered 504'],
  [405, undefined, 'UNSUPPORTED', 'the proxy answered 405'],
  [502, undefined, 'HOST_UNREACHABLE', 'the proxy answered 502'],
  [200, 'x; adit-code=NO_ERROR', 'HOST_UNREACHABLE', 'the proxy answered 200'],
  [502, 'x; adit-code=USAGE', 'HOST_UNREACHABLE', 'the proxy answered 502'],
  [502, 'x; error=toString', 'HOST_UNREACHABLE', 'the proxy answered 502 (toString)'],
])('%i with %s is %s', (status, proxyStatus, code, message) => { expect(denial(status, proxyStatus)).toMatchObject({ code, message }); });

test('whatever the proxy says, it is one line', () => {
  fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), fc.string({ unit: 'binary' }), (status, text) => { expect(denial(status, `x; details="${text}"`).message).not.toMatch(/[\r\n]/); }));
});
