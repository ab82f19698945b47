import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { commandRows, everyRow } from '../../packages/cli/src/completion/commands.ts';
import { program } from '../../packages/cli/src/program.ts';
import { run, succeed } from '../../test/support/child.ts';
import { fromSource } from '../../test/support/source-program.ts';
import { scenario } from '../../test/support/scenario.ts';
import { temporaryFolder } from '../../test/support/scope.ts';
import { manualFiles } from './pages.ts';

const edition = { version: '1.2.3', date: '2026-11-21' };
const files = manualFiles(edition);
const pages = [...files].filter(([name]) => name.startsWith('man/'));

test('every command has a page, and so have the two files', () => {
  expect(pages.map(([name]) => name)).toEqual([
    'man/man1/adit.1',
    ...commandRows(program()).commands.map(({ name }) => `man/man1/adit-${name}.1`),
    'man/man5/adit-config.5',
    'man/man5/adit-policy.5',
  ]);
});

test('every flag that help shows is on the page of its command', () => {
  for (const { path, flags, commands } of everyRow(commandRows(program())).slice(1))
    for (const { long } of commands.length > 0
      ? []
      : flags.filter((flag) => path.length === 2 || flag.long !== '--help'))
      expect(files.get(`man/man1/adit-${path[1]}.1`)).toContain(`\\fB${long!.replaceAll('-', '\\-')}\\fR`);
});

scenario('mandoc and man find nothing wrong with any page', ['mandoc', 'man'], async () => {
  const folder = temporaryFolder();
  for (const [name, text] of pages) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    expect(await run('mandoc', ['-T', 'lint', '-W', 'warning', file])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(
      await run('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', file], {
        env: { LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
      }),
    ).toMatchObject({ code: 0, stderr: '' });
  }
});

scenario('the script writes the same bytes twice, with the date that it is given', ['cmp'], async () => {
  const [one, other] = [temporaryFolder(), temporaryFolder()];
  for (const folder of [one, other])
    await succeed(process.execPath, [...fromSource, join(import.meta.dirname, '..', 'manual.ts'), folder], {
      env: { SOURCE_DATE_EPOCH: '1795219200' },
    });
  for (const name of files.keys()) await succeed('cmp', [join(one, name), join(other, name)]);
  expect((await succeed('head', ['-1', join(one, 'man/man1/adit.1')])).stdout).toContain('"2026-11-21"');
});
