import { describe, expect, test } from '@jest/globals';
import { parseWrk } from './wrk-output.ts';

const calm = `Running 1s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.22ms    0.94ms  20.69ms   50.00%
    Req/Sec    55.10k     4.11k   60.01k    70.00%
  Latency Distribution
     50%  960.00us
     75%    1.44ms
     90%    2.01ms
     99%    1.05s 
  55104 requests in 1.00s, 8.20MB read
Requests/sec:  55012.31
Transfer/sec:      8.18MB
`;

describe('the output of wrk', () => {
  test('gives rate and latencies in milliseconds, whatever their unit', () => {
    expect(parseWrk(calm)).toEqual({
      requests: 55104,
      requestsPerSecond: 55012.31,
      p50Ms: 0.96,
      p99Ms: 1050,
      trouble: [],
    });
  });
  test('keeps socket errors and failed answers', () => {
    const text = calm.replace(
      'Requests/sec',
      '  Socket errors: connect 0, read 12, write 0, timeout 3\n  Non-2xx or 3xx responses: 7\nRequests/sec',
    );
    expect(parseWrk(text).trouble).toEqual([
      'Socket errors: connect 0, read 12, write 0, timeout 3',
      'Non-2xx or 3xx responses: 7',
    ]);
  });
  test('fails when nothing was answered, and says what went wrong', () => {
    const text = calm
      .replace('55104 requests', '0 requests')
      .replace('Requests/sec', '  Socket errors: connect 64, read 0, write 0, timeout 0\nRequests/sec');
    expect(() => parseWrk(text)).toThrow('no request was answered; Socket errors: connect 64');
  });
  test.each([
    ['', 'nothing at all'],
    ['unable to connect to 127.0.0.1:1 Connection refused\n', 'Connection refused'],
    [calm.replace('     99%', '     98%'), '99% latency'],
  ])('refuses %#', (text, complaint) => {
    expect(() => parseWrk(text)).toThrow(complaint);
  });
});
