import { describe, expect, it } from '@jest/globals';
import { parseAddress } from '@adit/shared/protocol/address';
import { parseDestinationPattern } from './destination-pattern.ts';
import { Grants } from './grants.ts';
import { judgeRequest, judgeResolved, type Request } from './judge.ts';

const grants = (texts: readonly string[]) =>
  new Grants(
    texts.map((text) => {
      const parsed = parseDestinationPattern(text);
      if (!parsed.ok) throw new Error(parsed.reason);
      return { rule: text, why: `rule ${text}`, pattern: parsed.value };
    }),
  );
const request = (
  host: string,
  allow: readonly string[],
  more: { readonly deny?: readonly string[]; readonly service?: string } = {},
): Request => ({
  allow: grants(allow),
  deny: grants(more.deny ?? []),
  text: `${host}:80`,
  identity: 'alice',
  host,
  port: 80,
  literal: parseAddress(host),
  service: more.service,
  backend: { kind: 'tcp', host, port: 80, name: `tcp://${host}:80`, weight: 1 },
  nearest: () => 'nothing near',
});

describe('the judge', () => {
  it('names the rule that decides, the most exact one first', () => {
    expect(judgeRequest(request('db.internal', ['*:80', '*.internal:80', 'db.internal:80']))).toMatchObject({
      allow: true,
      rule: 'db.internal:80',
    });
    expect(judgeRequest(request('10.0.0.1', ['*:80', '10.0.0.0/8:80']))).toMatchObject({
      allow: true,
      rule: '10.0.0.0/8:80',
    });
  });

  it('looks for the nearest rule only when nothing decides', () => {
    const never = {
      nearest: (): string => {
        throw new Error('asked');
      },
    };
    expect(judgeRequest({ ...request('db.internal', ['db.internal:80']), ...never }).allow).toBe(true);
    expect(judgeRequest({ ...request('db.internal', ['db.internal:80'], { deny: ['*:80'] }), ...never })).toMatchObject(
      { allow: false, rule: '*:80' },
    );
    expect(judgeRequest(request('db.internal', []))).toMatchObject({ allow: false, detail: 'nothing near' });
  });

  it('names the range by which a name reaches a special address', () => {
    const asked = request('db.internal', ['db.internal:80', '127.0.0.1:80']);
    expect(judgeResolved(asked, '127.0.0.1')).toMatchObject({ allow: true, rule: '127.0.0.1:80' });
    expect(judgeResolved(asked, '127.0.0.2')).toMatchObject({
      allow: false,
      code: 'ADDRESS_PROHIBITED',
      rule: 'db.internal:80',
    });
  });

  it('does not let a range allow a service or a name that no rule allows', () => {
    expect(judgeResolved(request('db.internal', ['10.0.0.0/8:80'], { service: 'web' }), '10.0.0.1')).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
    });
    expect(judgeRequest(request('10.0.0.1', ['10.0.0.0/8:80'], { service: 'web' }))).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
    });
    expect(judgeResolved(request('db.internal', ['10.0.0.0/8:80']), '10.0.0.1')).toMatchObject({
      allow: false,
      code: 'POLICY_DENIED',
    });
  });

  it('says of a special address that the client asked for only what kind it is', () => {
    expect(judgeRequest(request('127.0.0.1', ['*:80']))).toMatchObject({
      code: 'ADDRESS_PROHIBITED',
      reason: '127.0.0.1:80 is a loopback address, and the policy of the egress does not name it.',
    });
    expect(judgeRequest(request('127.0.0.1', ['0.0.0.0/0:80']))).toMatchObject({ code: 'ADDRESS_PROHIBITED' });
    expect(judgeRequest(request('127.0.0.1', ['0.0.0.0/0:81']))).toMatchObject({ code: 'POLICY_DENIED' });
  });
});
