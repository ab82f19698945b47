import { describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import type { Destination } from '@adit/shared/protocol/destination';
import fc from 'fast-check';
import { Policy } from './policy.ts';
import { read as readShape } from './shape.ts';
import { via as shape } from './via.ts';

const read = (raw: unknown) => readShape(shape, raw).value;
const complaintsOf = (raw: unknown): readonly string[] =>
  readShape(shape, raw).faults.map((fault) => ('text' in fault ? fault.text : `unknown key ${fault.key}`));

describe('via', () => {
  it.each([
    [
      'http://Proxy.example',
      { kind: 'proxy', name: 'http://proxy.example:80', proxy: { scheme: 'http', host: 'proxy.example', port: 80 } },
    ],
    [
      'socks5h://[::1]:1080',
      { kind: 'proxy', name: 'socks5://[::1]:1080', proxy: { scheme: 'socks5', host: '::1', port: 1080 } },
    ],
    [
      { url: 'https://p:1', ca: 'ca.pem', cert: 'c.pem', key: 'k.pem' },
      {
        kind: 'proxy',
        name: 'https://p:1',
        proxy: { scheme: 'https', host: 'p', port: 1 },
        ca: 'ca.pem',
        cert: 'c.pem',
        key: 'k.pem',
      },
    ],
    [
      { file: 'proxy.url', resolve: 'here' },
      { kind: 'file', name: 'the proxy of proxy.url', file: 'proxy.url', resolve: 'here' },
    ],
    [
      { url: 'http://p:1', resolve: 'there' },
      { kind: 'proxy', name: 'http://p:1', proxy: { scheme: 'http', host: 'p', port: 1 } },
    ],
    [{ file: 'proxy.url' }, { kind: 'file', name: 'the proxy of proxy.url', file: 'proxy.url' }],
    [
      { url: 'connect://egress2:8443', ca: 'a', cert: 'c', key: 'k', 'server-name': 'E2' },
      {
        kind: 'connect',
        name: 'connect://egress2:8443',
        target: { kind: 'connect', host: 'egress2', port: 8443 },
        ca: 'a',
        cert: 'c',
        key: 'k',
        serverName: 'e2',
      },
    ],
  ])('is a URL, or a map with what it needs: %j', (raw, via) => {
    expect(read(raw)).toEqual(via);
  });

  it.each([
    ['proxy:3128', /^"proxy:3128": write http:\/\//],
    ['ftp://p:1', /^"ftp:\/\/p:1": ftp is not the scheme of a proxy/],
    ['connect://e:1', /needs "ca", "cert" and "key" for connect:\/\//],
    [{ url: 'connect+h2://e:1', ca: 'a', cert: 'c', key: 'k' }, /write connect:\/\/HOST:PORT/],
    [{}, /names neither/],
    [{ url: 'http://p:1', file: 'f' }, /names both/],
    [{ url: 'http://p:1', ca: 'f' }, /http:\/\/ has none/],
    [{ url: 'https://p:1', cert: 'f' }, /needs both "cert" and "key"/],
    [{ url: 'https://p:1', 'server-name': 'x' }, /is for connect:\/\/ only/],
  ])('with too little or too much is a complaint: %j', (raw, complaint) => {
    expect(complaintsOf(raw)).toEqual([expect.stringMatching(complaint)]);
  });

  it('holds no password, and no complaint shows one', () => {
    for (const url of [
      'http://alice:s3cret@p:1',
      'socks5://s3cret@p:1',
      'ftp://alice:s3cret@p:1',
      'connect://alice:s3cret@p:1',
      'http://alice:s3cret@p:1/x',
    ]) {
      const complaints = [...complaintsOf(url), ...complaintsOf({ url })];
      expect(complaints.length).toBe(2);
      expect(complaints.join()).not.toContain('s3cret');
    }
    expect(complaintsOf('http://alice:s3cret@p:1')).toEqual([
      '"http://***@p:1": a policy may not hold a user and password: put the whole URL into a file of mode ' +
        '0600, and write via: { file: FILE }',
    ]);
  });
});

const alice = { name: 'alice', groups: [], trustDomain: 'a.org', uri: 'spiffe://a.org/client/alice' };
const host = (name: string, port = 443): Destination => ({ kind: 'host', host: name, port });
const backends = '"tcp://web.internal:80", { address: "web2.internal:80", via: "http://other:1" }';
const policy = (...rules: readonly string[]): Policy =>
  Policy.parse(
    `version: 1
services:
  web: { backends: [${backends}], via: "http://proxy:3128" }
rules:
${rules.map((rule, at) => `  - { name: r${at}, identities: [alice], ${rule} }`).join('\n')}
`,
    'p.yaml',
  );

describe('a policy with next hops', () => {
  it('names the next hop in what it allows', () => {
    const decided = policy('allow: ["a.example:443", "203.0.113.7:443", "10.0.0.0/8:443"], via: "socks5://proxy:1080"');
    for (const name of ['a.example', '203.0.113.7', '10.1.2.3'])
      expect(decided.decide(alice, host(name))).toMatchObject({
        allow: true,
        backends: [{ host: name, via: { name: 'socks5://proxy:1080' } }],
        detail: expect.stringMatching(/through socks5:\/\/proxy:1080$/),
      });
    expect(decided.vias.map(({ name }) => name)).toEqual(['socks5://proxy:1080']);
  });

  it('judges the name alone: the hop resolves it', () => {
    const decided = policy('allow: ["a.example:443"], via: "http://proxy:3128"');
    const dialled = { destination: host('a.example'), backend: 'a.example:443' };
    expect(decided.decideBackend(alice, dialled, 'a.example')).toMatchObject({ allow: true });
    for (const address of ['8.8.8.8', '10.0.0.1', 'b.example'])
      expect(decided.decideBackend(alice, dialled, address)).toMatchObject({
        allow: false,
        code: 'ADDRESS_PROHIBITED',
      });
  });

  it('does not allow by a wildcard a name whose addresses it cannot judge', () => {
    for (const pattern of ['*:443', '*.example:443']) {
      expect(policy(`allow: ["${pattern}"], via: "http://proxy:3128"`).decide(alice, host('a.example'))).toMatchObject({
        allow: false,
        code: 'POLICY_DENIED',
        rule: 'r0',
        detail: expect.stringContaining('only a rule with this very name reaches it'),
      });
    }
    expect(policy('allow: ["*:443"], via: "http://proxy:3128"').decide(alice, host('8.8.8.8'))).toMatchObject({
      allow: true,
    });
    expect(policy('allow: ["*:443"], via: "http://proxy:3128"').decide(alice, host('10.0.0.1'))).toMatchObject({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
    });
  });

  it('judges every address with `resolve: here`, also for wildcards and denies', () => {
    const decided = policy(
      'allow: ["*:443"], via: { url: "http://proxy:3128", resolve: here }',
      'deny: ["9.0.0.0/8:443"]',
    );
    expect(decided.decide(alice, host('a.example'))).toMatchObject({
      allow: true,
      backends: [{ via: { name: 'http://proxy:3128' } }],
    });
    const at = (address: string) =>
      decided.decideBackend(alice, { destination: host('a.example'), backend: 'a.example:443' }, address);
    expect(['8.8.8.8', '10.0.0.1', '9.9.9.9', 'a.example'].map((address) => at(address).allow)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it(
    'asks a hop for no special address that is only allowed directly, or through another hop, where it resolves ' +
      'here',
    () => {
      const decided = policy(
        'allow: ["*:443", "172.16.0.0/12:443"], via: { url: "http://proxy:3128", resolve: here }',
        'allow: ["127.0.0.1:443", "10.0.0.0/8:443"]',
        'allow: ["192.168.0.0/16:443"], via: "socks5://other:1080"',
      );
      const at = (address: string) => decided.decideAddress(alice, host('a.example'), address);
      for (const address of ['127.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', '192.168.0.1'])
        expect(at(address)).toMatchObject({ allow: false, code: 'ADDRESS_PROHIBITED' });
      expect(at('127.0.0.1')).toMatchObject({
        rule: 'r1',
        detail: expect.stringContaining('allows its address, directly'),
      });
      for (const address of ['8.8.8.8', '172.16.0.1']) expect(at(address)).toMatchObject({ allow: true, rule: 'r0' });
      expect(decided.decide(alice, host('10.0.0.1'))).toMatchObject({
        allow: true,
        rule: 'r1',
        backends: [expect.not.objectContaining({ via: expect.anything() })],
      });
    },
  );

  it('takes the next hop of a range, not of "*", for an address that the client asked for', () => {
    for (const [first, second] of [
      ['allow: ["*:443"]', 'allow: ["203.0.113.0/24:443"], via: "http://proxy:3128"'],
      ['allow: ["203.0.113.0/24:443"], via: "http://proxy:3128"', 'allow: ["*:443"]'],
    ] as const) {
      expect(policy(first, second).decide(alice, host('203.0.113.7'))).toMatchObject({
        allow: true,
        backends: [{ via: { name: 'http://proxy:3128' } }],
      });
      expect(policy(first, second).decide(alice, host('8.8.8.8'))).toMatchObject({
        allow: true,
        backends: [expect.not.objectContaining({ via: expect.anything() })],
      });
    }
  });

  it('denies where a deny of addresses cannot be checked', () => {
    const rules = ['allow: ["a.example:443", "a.example:80"], via: "http://proxy:3128"', 'deny: ["10.0.0.0/8:443"]'];
    expect(policy(...rules).decide(alice, host('a.example'))).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
      rule: 'r1',
      detail: expect.stringContaining('denies addresses'),
    });
    expect(policy(...rules).decide(alice, host('a.example', 80))).toMatchObject({ allow: true });
    expect(
      policy('allow: [web]', 'deny: ["10.0.0.0/8:80"]').decide(alice, { kind: 'service', service: 'web' }),
    ).toMatchObject({ allow: false, rule: 'r1' });
  });

  it('does not dial directly what only a rule with a hop allows, nor confuse the two localhosts', () => {
    const decided = policy('allow: ["*:443"]', 'allow: ["10.0.0.0/8:443", "127.0.0.1:443"], via: "http://proxy:3128"');
    expect(decided.decideAddress(alice, host('a.example'), '8.8.8.8')).toMatchObject({
      allow: true,
      backends: [expect.not.objectContaining({ via: expect.anything() })],
    });
    expect(decided.decideAddress(alice, host('a.example'), '10.0.0.1')).toMatchObject({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
      rule: 'r1',
    });
    expect(decided.decideAddress(alice, host('localhost'), '127.0.0.1')).toMatchObject({ allow: false });
  });

  it('reaches a service through its hop, and a backend with a hop through that one', () => {
    const decided = policy('allow: [web]');
    const verdict = decided.decide(alice, { kind: 'service', service: 'web' });
    expect(verdict.allow && verdict.backends.map(({ name, via }) => [name, via?.name])).toEqual([
      ['tcp://web.internal:80', 'http://proxy:3128'],
      ['tcp://web2.internal:80', 'http://other:1'],
    ]);
    const [backend] = decided.services.get('web')!.backends;
    expect(decided.decideProbe('web', backend!, 'web.internal')).toMatchObject({ allow: true });
    expect(decided.decideProbe('web', backend!, '10.0.0.1')).toMatchObject({ allow: false });
  });

  it.each([
    [
      '{ name: r, identities: [alice], allow: [web], via: "http://p:1" }',
      '5:45: "web" is a service: "via" belongs to the service, not to the rule',
    ],
    [
      '{ name: r, identities: [alice], deny: ["*:1"], via: "http://p:1" }',
      '5:57: "via" applies to what the rule allows, and the rule allows nothing',
    ],
    [
      '{ name: r, identities: [alice], allow: ["a:1"], via: "http://u:pw@p:1" }',
      '5:58: "via" "http://***@p:1": a policy may not hold a user and password: put the whole URL into a ' +
        'file of mode 0600, and write via: { file: FILE }',
    ],
    [
      '{ name: r, identities: [alice], allow: ["a:1"], via: { fil: x } }',
      '5:60: unknown key "fil": did you mean "file"?',
    ],
  ])('gives a complaint with its position about %s', (rule, complaint) => {
    expect(() => Policy.parse(`version: 1\nservices:\n  web: tcp://a:1\nrules:\n  - ${rule}\n`, 'p.yaml')).toThrow(
      complaint,
    );
  });

  it('takes any value of via as a hop or as a fault of the policy', () => {
    const odd = fc.oneof(
      fc.anything(),
      fc.webUrl(),
      fc.record(
        { url: fc.anything(), file: fc.anything(), ca: fc.string(), 'server-name': fc.string() },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(odd, odd, odd, (rule, service, backend) => {
        const text = JSON.stringify(
          {
            version: 1,
            services: { web: { backends: [{ address: 'a:1', via: backend }], via: service } },
            rules: [{ name: 'r', identities: ['alice'], allow: ['a:1'], via: rule }],
          },
          (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
        );
        try {
          Policy.parse(text, 'p.yaml');
        } catch (error) {
          if (!(error instanceof AditError && error.code === 'POLICY_INVALID')) throw error;
        }
      }),
    );
  });

  it('refuses a hop for a Unix socket', () => {
    expect(() =>
      Policy.parse(
        'version: 1\nservices:\n  web: { backends: ["unix:/run/x"], via: "http://p:1" }\nrules: []\n',
        'p.yaml',
      ),
    ).toThrow('is a Unix socket, which no proxy can reach');
  });
});
