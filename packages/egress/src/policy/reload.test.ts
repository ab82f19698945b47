import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { Policy } from './policy.ts';
import { loadPolicy, PolicyFile } from './reload.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-policy-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = join(folder, 'policy.yaml');
const write = (allow: string): void => {
  writeFileSync(file, `version: 1\nrules: [{ name: r, identities: [alice], allow: ["${allow}"] }]\n`);
};
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof AditError ? error.code : String(error);
  }
  return 'none';
};
const alice = { name: 'alice', groups: [], trustDomain: 'a.org', uri: 'spiffe://a.org/client/alice' };

describe('a policy file', () => {
  it('puts its new content in force on demand, and keeps the old one when the new is not valid', async () => {
    write('a.example:1');
    const policyFile = new PolicyFile(file);
    const first = policyFile.current;
    const allowed = (host: string): boolean => policyFile.current.decide(alice, { kind: 'host', host, port: 1 }).allow;
    write('b.example:1');
    expect([allowed('a.example'), allowed('b.example')]).toEqual([true, false]);
    const reloading = policyFile.reload();
    expect(policyFile.current).not.toBe(first);
    expect([allowed('a.example'), allowed('b.example')]).toEqual([false, true]);
    expect(await reloading).toBe(true);
    for (const broken of [
      'version: 1\nrules: [',
      '',
      'version: 1\nrules: []\ntests: [{ identity: a, destination: "a:1", expect: allow }]\n',
    ]) {
      writeFileSync(file, broken);
      await expect(policyFile.reload()).rejects.toMatchObject({ code: 'POLICY_INVALID' });
      expect([allowed('a.example'), allowed('b.example')]).toEqual([false, true]);
    }
    rmSync(file);
    await expect(policyFile.reload()).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    expect(allowed('b.example')).toBe(true);
  });

  it('that cannot be read is not valid', () => {
    expect(() => loadPolicy(join(folder, 'absent.yaml'))).toThrow(
      /^The policy file .*absent\.yaml cannot be read: ENOENT/,
    );
    writeFileSync(file, Buffer.from('version: 1 # \xff\n', 'latin1'));
    expect(codeOf(() => loadPolicy(file))).toBe('POLICY_INVALID');
    expect(codeOf(() => new PolicyFile(folder))).toBe('POLICY_INVALID');
  });
});

describe('a policy with blocklists', () => {
  const list = join(folder, 'block.txt');
  const denying =
    'version: 1\nservices: { web: "tcp://x.ads.example:80" }\nrules:\n' +
    '  - { name: r, identities: [alice], allow: ["*:443", web] }\n' +
    '  - { name: ads, identities: ["*"], deny-files: [block.txt] }\n';
  const verdict = (policyFile: PolicyFile, host: string) =>
    policyFile.current.decide(alice, { kind: 'host', host, port: 443 });

  it('denies the names in the file to every identity of the rule, before DNS, and says which line', () => {
    writeFileSync(list, '# ads\nads.example\n');
    writeFileSync(file, denying);
    const policyFile = new PolicyFile(file);
    expect(verdict(policyFile, 'x.ads.example')).toEqual({
      allow: false,
      code: 'POLICY_DENIED',
      rule: 'ads',
      reason: 'The policy of the egress does not allow alice to reach x.ads.example:443.',
      detail: `rule "ads" (${file}:5:50, "block.txt"), line 2 (ads.example), denies it`,
    });
    expect([
      verdict(policyFile, 'ads.example').allow,
      verdict(policyFile, 'good.example').allow,
      policyFile.current.size.blocked,
    ]).toEqual([false, true, 1]);
    expect(policyFile.current.decide(alice, { kind: 'service', service: 'web' })).toMatchObject({
      allow: false,
      rule: 'ads',
    });
    expect(
      policyFile.current.decideAddress(alice, { kind: 'host', host: 'ads.example', port: 443 }, '8.8.8.8'),
    ).toMatchObject({ allow: false, code: 'POLICY_DENIED', rule: 'ads' });
  });

  it('takes a new list that is complete, and keeps the old one when the new is broken or gone', async () => {
    writeFileSync(list, 'ads.example\n');
    writeFileSync(file, denying);
    const policyFile = new PolicyFile(file);
    writeFileSync(list, 'other.example\n');
    expect(policyFile.stale).toBe(true);
    const reloading = policyFile.reload();
    expect(verdict(policyFile, 'ads.example').allow).toBe(false);
    expect([
      await reloading,
      policyFile.stale,
      verdict(policyFile, 'ads.example').allow,
      verdict(policyFile, 'other.example').allow,
    ]).toEqual([true, false, true, false]);
    writeFileSync(list, 'a b\n');
    await expect(policyFile.reload()).rejects.toMatchObject({
      code: 'POLICY_INVALID',
      message: expect.stringContaining('block.txt:1: "a b" has more than one word'),
    });
    rmSync(list);
    await expect(policyFile.reload()).rejects.toMatchObject({
      code: 'POLICY_INVALID',
      message: expect.stringContaining('ENOENT'),
    });
    expect([verdict(policyFile, 'other.example').allow, policyFile.blocklists]).toEqual([false, [list]]);
    expect(() => new PolicyFile(file)).toThrow(/block\.txt cannot be read/);
  });

  it('ends with the content of the last of several reloads', async () => {
    writeFileSync(list, 'a.example\n');
    writeFileSync(file, denying);
    const policyFile = new PolicyFile(file);
    writeFileSync(list, 'b.example\n'.repeat(20_000));
    const first = policyFile.reload();
    writeFileSync(list, 'c.example\n');
    expect(await Promise.all([first, policyFile.reload()])).toEqual([false, true]);
    expect(['a', 'b', 'c'].map((name) => verdict(policyFile, `${name}.example`).allow)).toEqual([true, true, false]);
  });

  it('is never in force without its blocklists', () => {
    expect(() => Policy.parse(denying, 'p.yaml')).toThrow(
      /The blocklist block\.txt, which p\.yaml names, was not loaded/,
    );
  });
});
