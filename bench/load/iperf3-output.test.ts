import { describe, expect, test } from '@jest/globals';
import { parseIperf3 } from './iperf3-output.ts';

describe('the output of iperf3', () => {
  test('gives what arrived, not what was sent', () => {
    const text = JSON.stringify({
      start: {},
      intervals: [],
      end: {
        sum_sent: { bytes: 2e9, bits_per_second: 16e9 },
        sum_received: { start: 0, end: 1, bytes: 1e9, bits_per_second: 8e9 },
      },
    });
    expect(parseIperf3(text)).toEqual({ bytes: 1e9, bitsPerSecond: 8e9 });
  });
  test('fails with the words of iperf3', () => {
    expect(() =>
      parseIperf3('{"start":{},"intervals":[],"end":{},"error":"unable to connect to server: Connection refused"}'),
    ).toThrow('iperf3: unable to connect to server: Connection refused');
  });
  test.each([
    ['', 'no JSON: nothing at all'],
    ['iperf3: bad option', 'no JSON: iperf3: bad option'],
    ['{"end":{}}', 'said nothing'],
    ['{}', 'said nothing'],
    ['{"end":{"sum_received":{"bytes":0,"bits_per_second":0}}}', 'nothing arrived'],
  ])('refuses %j', (text, complaint) => {
    expect(() => parseIperf3(text)).toThrow(complaint);
  });
});
