import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run } from '../../../../test/support/child.ts';
import { scenario } from '../../../../test/support/scenario.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { unitName, type UnitOptions, unitText, word } from './unit.ts';

const packaging = join(import.meta.dirname, '../../../../packaging/systemd');
const command = ['/usr/bin/adit'];
const egress: UnitOptions = {
  half: 'egress',
  command,
  config: '/etc/adit/egress.yaml',
  scope: 'system',
  account: 'adit',
};
const ingress: UnitOptions = { half: 'ingress', command, config: '@config@', scope: 'user' };
/** `%h` is the home of the user; a path never means it. */
const packaged = {
  'adit-egress.service': unitText(egress),
  'adit-ingress.service': unitText(ingress).replace('@config@', '%h/.config/adit/ingress.yaml'),
};

/** UPDATE_DOCS=1 writes them. */
test.each(Object.entries(packaged))('packaging/systemd/%s is this unit', (name, text) => {
  const path = join(packaging, name);
  if (process.env['UPDATE_DOCS'] === '1') {
    mkdirSync(packaging, { recursive: true });
    writeFileSync(path, text);
  }
  expect(readFileSync(path, 'utf8')).toBe(text);
});

const all: readonly [string, UnitOptions][] = [
  ['the egress of a machine', egress],
  ['the ingress of a machine', { ...egress, half: 'ingress', readsHome: true }],
  ['one that speaks by systemd-notify', { ...egress, notifiesByProgram: true }],
];
const ofUser: readonly [string, UnitOptions][] = [
  ['the ingress of a user', ingress],
  ['the egress of a user', { ...egress, scope: 'user' }],
];

/** The unit in a folder of its own, with a program that is there. */
function written(unit: UnitOptions): string {
  const path = join(temporaryFolder(), unitName(unit.half));
  writeFileSync(path, unitText({ ...unit, command: [process.execPath] }));
  return path;
}

for (const [what, unit] of all) {
  scenario(`systemd finds nothing wrong with ${what}`, ['systemd-analyze'], async () => {
    expect(await run('systemd-analyze', ['verify', '--man=no', written(unit)])).toMatchObject({ code: 0, stderr: '' });
  });
  scenario(`the exposure of ${what} is below 1.5`, ['systemd-analyze'], async () => {
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', written(unit)], {
      env: { LC_ALL: 'C.UTF-8' },
    });
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    expect(Number(exposure)).toBeLessThan(1.5);
  });
}
for (const [what, unit] of ofUser)
  scenario(`systemd finds nothing wrong with ${what}`, ['systemd-analyze'], async () => {
    expect(
      await run('systemd-analyze', ['--user', 'verify', '--man=no', written(unit)], {
        env: { XDG_RUNTIME_DIR: temporaryFolder() },
      }),
    ).toMatchObject({ code: 0, stderr: '' });
  });

test('a word means itself', () => {
  expect(word('/usr/bin/adit')).toBe('/usr/bin/adit');
  expect(word('/opt/50% "off"/$HOME\\x')).toBe('"/opt/50%% \\"off\\"/$$HOME\\\\x"');
});

test('a half that the egress denied for good is not started again', () => {
  expect(unitText(egress)).toContain('RestartPreventExitStatus=2 3\n');
  expect(unitText(ingress)).toContain('RestartPreventExitStatus=2 3 4\n');
});
