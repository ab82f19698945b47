import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { exposedCredentials } from './exposed.ts';
import { parsed } from './parsed.ts';
import { readSettingsFile, type SettingsFile } from './settings-file.ts';
import type { Settings } from './setting.ts';

const settings = {
  proxy: { name: 'proxy', argument: 'URL', parse: parsed, help: '', hasCredential: (text) => text.includes('@') },
  plain: { name: 'plain', argument: 'TEXT', parse: parsed, help: '' },
  secret: { name: 'secret', argument: 'TEXT', parse: parsed, help: '', secret: true },
} as const satisfies Settings;

const path = join(temporaryFolder(), 'c.yaml');
const fileOf = (text: string, mode: number): SettingsFile => {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return readSettingsFile(path);
};

describe('on the command line', () => {
  test('a credential is refused, with the places where it may stand', () => {
    expect(exposedCredentials(settings, { flags: { proxy: ['a', 'b@c'], plain: ['x@y'] }, file: undefined })).toEqual([
      {
        code: 'USAGE',
        text:
          '--proxy: every user of this machine can read a credential on the command line; put it into a file of ' +
          'mode 0600 and name that with --proxy-file, or use ADIT_PROXY or the configuration file',
      },
    ]);
  });

  test("anything else is nobody's secret", () => {
    expect(exposedCredentials(settings, { flags: { proxy: ['a'] }, file: undefined })).toEqual([]);
  });
});

describe('in a configuration file', () => {
  test.each([0o644, 0o604, 0o666])('of mode %o, every credential is refused where it stands', (mode) => {
    const file = fileOf('plain: x@y\nproxy: [a, hunter2@c]\nsecret: s\n', mode);
    const reason = `holds a credential, and the file has mode 0${mode.toString(8)}, so others may read it`;
    expect(exposedCredentials(settings, { flags: {}, file })).toEqual([
      { code: 'CONFIG_INVALID', offset: 11, text: `${path}:2:1: proxy ${reason}: run "chmod 600 ${path}"` },
      { code: 'CONFIG_INVALID', offset: 33, text: `${path}:3:1: secret ${reason}: run "chmod 600 ${path}"` },
    ]);
  });

  test('of mode 600 it may stand; a file without one may be read by all', () => {
    expect(exposedCredentials(settings, { flags: {}, file: fileOf('proxy: b@c\n', 0o600) })).toEqual([]);
    expect(exposedCredentials(settings, { flags: {}, file: fileOf('proxy: a\nplain: x@y\n', 0o644) })).toEqual([]);
  });
});
