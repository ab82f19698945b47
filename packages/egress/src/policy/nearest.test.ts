import { describe, expect, it } from '@jest/globals';
import { parseDestination } from '@adit/shared/protocol/destination';
import { Policy } from './policy.ts';

const policy = Policy.parse(
  `version: 1
services: { web: "tcp://10.0.0.5:80" }
rules:
- { name: dev, identities: [alice, carol], allow: ["db.internal:5432", "*.svc.internal:443", "10.0.0.0/8:22"] }
- { name: ops, identities: [bob], allow: [web, "10.0.0.0/8:80", "mail.internal:25", "*.lab.internal:*"] }
- { name: all, identities: [dave], allow: ["*:53"] }
`,
  'p.yaml',
);
const detail = (name: string, text: string): string => {
  const destination = parseDestination(text);
  if (!destination.ok) throw new Error(destination.reason);
  return policy.decide(
    { name, groups: [], trustDomain: 'example.org', uri: `spiffe://example.org/client/${name}` },
    destination.value,
  ).detail;
};

describe('the nearest rule', () => {
  it.each([
    ['eve', 'web', 'no rule names this identity'],
    ['alice', 'db.internal:5433', 'rule "dev" (p.yaml, "db.internal:5432") is the nearest, but has other ports'],
    ['alice', 'a.svc.internal:80', 'rule "dev" (p.yaml, "*.svc.internal:443") is the nearest, but has other ports'],
    ['alice', '10.0.0.1:23', 'rule "dev" (p.yaml, "10.0.0.0/8:22") is the nearest, but has other ports'],
    ['alice', 'web', 'rule "ops" (p.yaml, "web") allows it, but not to this identity'],
    ['alice', 'mail.internal:25', 'rule "ops" (p.yaml, "mail.internal:25") allows it, but not to this identity'],
    ['alice', 'x.lab.internal:9', 'rule "ops" (p.yaml, "*.lab.internal:*") allows it, but not to this identity'],
    [
      'alice',
      'git.internal:22',
      'no rule allows this name; rule "dev" (p.yaml, "10.0.0.0/8:22") allows addresses, and the client asked ' +
        'for a name',
    ],
    ['alice', 'mail.internal:26', 'no rule that names this identity allows it ("dev")'],
    ['dave', 'x.example:54', 'rule "all" (p.yaml, "*:53") is the nearest, but has other ports'],
  ])('for %s to %s: %s', (name, destination, expected) => {
    expect(detail(name, destination).replace(/:\d+:\d+,/, ',')).toBe(expected);
  });
});
