import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit } from '../support/adit.ts';
import { blocksOf, documented } from '../support/documented.ts';
import { folderOfPolicyFiles } from '../support/policy-files.ts';
import { temporaryFolder } from '../support/scope.ts';

const example = 'A first example';

/** Runs each command of a console block where these files are, and gives what the page would have to show. */
async function shown(page: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const lines: string[] = [];
  for (const line of documented(page, example, 'console')
    .split('\n')
    .filter((text) => text.startsWith('$ adit '))) {
    lines.push(line, (await adit(line.slice('$ adit '.length).split(' '), { cwd: folder })).stdout.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

test('the example of the blocking page says what the page says', async () => {
  const page = 'blocking.md';
  const files = {
    'policy.yaml': documented(page, example, 'yaml'),
    'blocklist.txt': documented(page, example, 'text'),
    'hosts.txt': documented(page, example, 'hosts'),
  };

  expect(await shown(page, files)).toBe(documented(page, example, 'console'));
});

test('the example of the via page says what the page says, and its other policy is one', async () => {
  const page = 'via.md';

  expect(await shown(page, { 'policy.yaml': documented(page, example, 'yaml') })).toBe(
    documented(page, example, 'console'),
  );
  for (const { heading, text } of blocksOf(page).filter(({ language }) => language === 'yaml')) {
    const file = join(folderOfPolicyFiles(), 'policy.yaml');
    writeFileSync(file, text);
    expect([heading, (await adit(['policy', 'check', file])).code]).toEqual([heading, 0]);
  }
});
