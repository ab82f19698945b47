import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared';
import { loadPolicy, PolicyFile } from './reload.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-policy-'));
afterAll(() => { rmSync(folder, { recursive: true }); });
const file = join(folder, 'policy.yaml');
const write = (allow: string): void => { writeFileSync(file, `version: 1\nrules: [{ name: r, identities: [alice], allow: ["${allow}"] }]\n`); };
const codeOf = (act: () => unknown): string => {
  try { act(); } catch (error) { return error instanceof AditError ? error.code : String(error); }
  return 'none';
};
const alice = { name: 'alice', groups: [], trustDomain: 'a.org', uri: 'spiffe://a.org/client/alice' };

describe('a policy file', () => {
  it('puts its new content in force on demand, and keeps the old one when the new is not valid', () => {
    write('a.example:1');
    const policyFile = new PolicyFile(file);
    const first = policyFile.current;
    const allowed = (host: string): boolean => policyFile.current.decide(alice, { kind: 'host', host, port: 1 }).allow;
    write('b.example:1');
    expect([allowed('a.example'), allowed('b.example')]).toEqual([true, false]);
    expect(policyFile.reload()).toBe(policyFile.current);
    expect(policyFile.current).not.toBe(first);
    expect([allowed('a.example'), allowed('b.example')]).toEqual([false, true]);
    for (const broken of ['version: 1\nrules: [', '', 'version: 1\nrules: []\ntests: [{ identity: a, destination: "a:1", expect: allow }]\n']) {
      writeFileSync(file, broken);
      expect(codeOf(() => policyFile.reload())).toBe('POLICY_INVALID');
      expect([allowed('a.example'), allowed('b.example')]).toEqual([false, true]);
    }
    rmSync(file);
    expect(codeOf(() => policyFile.reload())).toBe('POLICY_INVALID');
    expect(allowed('b.example')).toBe(true);
  });

  it('that cannot be read is not valid', () => {
    expect(() => loadPolicy(join(folder, 'absent.yaml'))).toThrow(/^The policy file .*absent\.yaml cannot be read: ENOENT/);
    writeFileSync(file, Buffer.from('version: 1 # \xff\n', 'latin1'));
    expect(codeOf(() => loadPolicy(file))).toBe('POLICY_INVALID');
    expect(codeOf(() => new PolicyFile(folder))).toBe('POLICY_INVALID');
  });
});
