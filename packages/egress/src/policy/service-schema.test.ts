import { describe, expect, it } from '@jest/globals';
import { compilePolicy } from './compile.ts';
import { service as shape, type ServiceSource } from './service-schema.ts';
import { read as readShape } from './shape.ts';

const read = (raw: unknown): ServiceSource => {
  const { value, faults } = readShape(shape, raw);
  expect(faults).toEqual([]);
  return value!;
};
const complaintsOf = (service: string): string[] => {
  try {
    compilePolicy(`version: 1\nservices:\n  web: ${service}\nrules: []\n`, 'p.yaml');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};

describe('a service', () => {
  it.each([
    ['tcp://DB.internal:80', { kind: 'tcp', host: 'db.internal', port: 80, name: 'tcp://db.internal:80', weight: 1 }],
    ['tls://[::1]:443', { kind: 'tls', host: '::1', port: 443, name: 'tls://[::1]:443', weight: 1 }],
    ['unix:/run/web.sock', { kind: 'unix', path: '/run/web.sock', name: 'unix:/run/web.sock', weight: 1 }],
    ['unix:///run/web.sock', { kind: 'unix', path: '/run/web.sock', name: 'unix:/run/web.sock', weight: 1 }],
  ])('may be one address: %s', (text, backend) => {
    expect(read(text)).toEqual({ backends: [backend], balance: 'round-robin', hashOn: 'identity', tls: {} });
  });

  it('may be several backends with weights, and how they are used', () => {
    const service = read({
      backends: [
        'tcp://10.0.0.1:80',
        '10.0.0.2:80',
        { address: 'tls://web.internal:443', weight: 3 },
        { address: 'unix:/run/w', weight: 0 },
      ],
      balance: 'source',
      'hash-on': 'client',
      health: { interval: '1s', timeout: 0.5, rise: 1 },
      'proxy-protocol': 'v2',
      tls: { ca: 'ca.pem', 'server-name': 'Web.Internal', cert: 'c.pem', key: 'k.pem' },
    });
    expect(service.backends.map(({ name, weight }) => [name, weight])).toEqual([
      ['tcp://10.0.0.1:80', 1],
      ['tcp://10.0.0.2:80', 1],
      ['tls://web.internal:443', 3],
      ['unix:/run/w', 0],
    ]);
    expect(service).toMatchObject({
      balance: 'source',
      hashOn: 'client',
      health: { intervalMs: 1000, timeoutMs: 500, rise: 1, fall: 3 },
      proxyProtocol: 'v2',
      tls: { ca: 'ca.pem', serverName: 'web.internal', cert: 'c.pem', key: 'k.pem' },
    });
  });

  it('has default checks when "health" is an empty map', () => {
    expect(read({ backends: ['a:1'], health: {} })).toMatchObject({
      health: { intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 },
    });
  });

  it.each([
    ['10.0.0.1:80', '3:8: "web" "10.0.0.1:80": write tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH'],
    ['{}', '3:8: "backends" is missing'],
    ['{ backends: [] }', '3:20: "backends" is empty'],
    ['7', '3:8: "web" has to be a map of keys and values'],
    ['{ backends: "tcp://a:1" }', '3:20: "backends" has to be a list'],
    ['{ backends: [udp://a:1] }', '3:21: "udp://a:1": write tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH'],
    [
      '{ backends: [tcp://a] }',
      '3:21: "tcp://a": the port is missing: write tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH',
    ],
    ['{ backends: [unix:run/x] }', '3:21: "unix:run/x": the path of a Unix socket is absolute: write unix:/PATH'],
    ['{ backends: [{ address: "a:1", wieght: 2 }] }', '3:39: unknown key "wieght": did you mean "weight"?'],
    ['{ backends: [{ address: "a:1", weight: 300 }] }', '3:47: "weight" has to be a whole number from 0 to 256'],
    ['{ backends: [{ address: "a:1", weight: 1.5 }] }', '3:47: "weight" has to be a whole number from 0 to 256'],
    ['{ backends: [{ address: "a:1", weight: 0 }] }', '3:20: "backends" all have weight 0: none would take streams'],
    ['{ backends: ["a:1", "tcp://A:1"] }', '3:28: "tcp://a:1" is listed twice: give it a weight instead'],
    [
      '{ backends: ["a:1"], balance: leastconn }',
      '3:38: "balance" has to be round-robin or least-connections or source',
    ],
    ['{ backends: ["a:1"], blance: source }', '3:29: unknown key "blance": did you mean "balance"?'],
    ['{ backends: ["a:1"], hash-on: client }', '3:38: "hash-on" is for "balance: source" only'],
    ['{ backends: ["a:1"], health: { interval: 5ms } }', '3:49: "interval" "5ms": too short: at least 100ms'],
    ['{ backends: ["a:1"], health: { rise: 0 } }', '3:45: "rise" has to be a whole number from 1 to 100'],
    ['{ backends: ["a:1"], health: { intervall: 5s } }', '3:39: unknown key "intervall": did you mean "interval"?'],
    ['{ backends: ["a:1"], proxy-protocol: v3 }', '3:45: "proxy-protocol" has to be v1 or v2'],
    ['{ backends: ["a:1"], tls: { ca: x } }', '3:34: "tls" is for tls:// backends, and there is none'],
    ['{ backends: ["tls://a:1"], tls: { cert: x } }', '3:40: "tls" needs both "cert" and "key", or neither'],
    [
      '{ backends: ["tls://a:1"], tls: { server-name: "a:1" } }',
      '3:55: "server-name" "a:1": the host has a colon and is not an IPv6 address',
    ],
  ])('gives a complaint with its position about %s', (service, complaint) => {
    expect(complaintsOf(service)).toContain(`p.yaml:${complaint}`);
  });
});
