import { describe, expect, it } from '@jest/globals';
import { compilePolicy } from './compile.ts';

const complaintsOf = (text: string): string[] => {
  try {
    compilePolicy(text, 'p.yaml');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};
const withRule = (rule: string): string => `version: 1\nrules:\n  - ${rule}\n`;

describe('compiling a policy', () => {
  it('finds every mistake of a file at once, in the order of the file', () => {
    expect(
      complaintsOf(`version: 2
servces:
  web: tcp://10.0.0.5:80
services:
  Web: http://10.0.0.5
  web: tcp://10.0.0.5:0
rules:
  - name: developers
    identities: ["ali*", 7]
    alow: [web]
    allow: [wep, "10.0.0.1/8:22", db.internal, "fd00::/8:*", "127.1:80"]
  - name: developers
    identities: []
tests:
  - { identity: "spiffe://a/client/*", destination: web, expect: alow }
`),
    ).toEqual([
      'p.yaml:1:10: "version" has to be 1',
      'p.yaml:2:1: unknown key "servces": did you mean "services"?',
      'p.yaml:5:3: "Web" cannot name a service: use a-z, 0-9 and inner dashes, one letter at least, 63 ' +
        'characters at most',
      'p.yaml:5:8: "Web" "http://10.0.0.5": write tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH',
      'p.yaml:6:8: "web" "tcp://10.0.0.5:0": the port is not a number from 1 to 65535',
      'p.yaml:9:18: "ali*": a "*" may end a URI only: write spiffe://TRUST-DOMAIN/client/START*',
      'p.yaml:9:26: has to be text (in quotes, if YAML reads it as something else)',
      'p.yaml:10:5: unknown key "alow": did you mean "allow"?',
      'p.yaml:11:13: "wep": no service of that name is defined: did you mean "Web"?',
      'p.yaml:11:18: "10.0.0.1/8:22": bits after the prefix are set: write 10.0.0.0/8 for the range or 10.0.0.1 ' +
        'for the address',
      'p.yaml:11:35: "db.internal": it is not the name of a service, and for a host the ports are missing: ' +
        'write HOST:PORTS',
      'p.yaml:11:48: "fd00::/8:*": IPv6 goes in brackets: [ADDRESS]:PORTS or [ADDRESS/LENGTH]:PORTS',
      'p.yaml:11:62: "127.1:80": the host looks like an address but is not one: write IPv4 as four decimal numbers ' +
        'without leading zeros',
      'p.yaml:12:5: the rule neither allows nor denies anything',
      'p.yaml:12:11: a second rule is named "developers": logs could not tell them apart',
      'p.yaml:13:17: "identities" is empty',
      'p.yaml:15:17: "identity" "spiffe://a/client/*": a test is about one identity: write it without "*"',
      'p.yaml:15:66: "expect" has to be allow or deny',
    ]);
  });

  it.each([
    ['', 'p.yaml:1:1: the file is empty: a policy begins with "version: 1"'],
    ['# nothing\n', 'p.yaml:1:1: the file is empty: a policy begins with "version: 1"'],
    ['rules: []\n', 'p.yaml:1:1: "version" is missing: a policy begins with "version: 1"'],
    ['version: 1\n', 'p.yaml:1:1: "rules" is missing'],
    ['- 1\n', 'p.yaml:1:1: has to be a map of keys and values'],
    ['version: "1"\nrules: []\n', 'p.yaml:1:10: "version" has to be 1'],
    ['version: 1\nrules: {}\n', 'p.yaml:2:8: "rules" has to be a list'],
    ['version: 1\nrules: []\nservices: [web]\n', 'p.yaml:3:11: "services" has to be a map of keys and values'],
    [withRule('{ identities: [a], allow: ["*:1"] }'), 'p.yaml:3:5: "name" is missing'],
    [
      withRule('{ name: "", identities: [a], allow: ["*:1"] }'),
      'p.yaml:3:13: "name" a rule is named with up to 63 letters, digits, spaces, dots, dashes and underscores',
    ],
    [withRule('{ name: r, identities: alice, allow: ["*:1"] }'), 'p.yaml:3:28: "identities" has to be a list'],
    [
      withRule('{ name: r, identities: [a], allow: [443] }'),
      'p.yaml:3:41: has to be text (in quotes, if YAML reads it as something else)',
    ],
    [
      withRule('{ name: r, identities: [a], allow: [*.a.b:22] }'),
      'p.yaml:3:41: this is not YAML: *.a.b:22 is an alias without an anchor; a ' +
        'text that begins with * or [ or { goes ' +
        'in quotes',
    ],
    [
      withRule('{ name: r, identities: [a], allow: [], dney: [] }'),
      'p.yaml:3:44: unknown key "dney": did you mean "deny"?',
    ],
    [
      withRule('{ name: r, identities: [a], allow: [], zzz: [] }'),
      'p.yaml:3:44: unknown key "zzz": there are name, identities, allow, deny, deny-files, via',
    ],
    [withRule('x'), 'p.yaml:3:5: has to be a map of keys and values'],
  ])('says of %j: %s', (text, complaint) => {
    expect(complaintsOf(text)).toContain(complaint);
  });

  it('keeps the position of each pattern, for logs', () => {
    const { rules, services } = compilePolicy(
      'version: 1\nservices: { web: "tcp://[::1]:80" }\nrules:\n- name: r\n  identities: [a]\n  allow: [web]\n' +
        '  deny:\n  - "*:25"\n',
      '/etc/adit/policy.yaml',
    );
    expect(services.get('web')).toMatchObject({
      name: 'web',
      backends: [{ name: 'tcp://[::1]:80', kind: 'tcp', host: '::1', port: 80 }],
    });
    expect(rules[0]).toMatchObject({
      name: 'r',
      allow: [{ why: 'rule "r" (/etc/adit/policy.yaml:6:11, "web")' }],
      deny: [{ why: 'rule "r" (/etc/adit/policy.yaml:8:5, "*:25")' }],
    });
  });

  it('reads a file with anchors that are used', () => {
    expect(
      complaintsOf(
        'version: 1\nrules:\n  - { name: a, identities: &who [alice], allow: ["*:1"] }\n' +
          '  - { name: b, identities: *who, allow: ["*:2"] }\n',
      ),
    ).toEqual([]);
  });
});
