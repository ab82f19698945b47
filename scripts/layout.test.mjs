/** Each rule of the layout is seen failing, on a tree made for it; and the same tree passes when it is mended. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { findings } from './layout.mjs';

const folder = mkdtempSync(join(tmpdir(), 'adit-layout-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const sound = {
  'packages/shared/package.json': '{ "dependencies": { "pino": "1" } }',
  'packages/shared/src/carrier/tls.ts': 'export interface Sent { readonly bytes: number }\n',
  'packages/shared/src/protocol/open.ts':
    'export interface Opened { readonly id: number }\nexport type open = Opened;\n',
  'packages/egress/package.json': '{ "dependencies": { "@adit/shared": "1" } }',
  'packages/egress/src/policy/rule.ts':
    "import { readFileSync } from 'node:fs';\nimport type { Opened } from '@adit/shared/protocol/open';\n" +
    'export type Rule = Opened;\n',
};

let trees = 0;
/** The findings about the sound tree with these files put in or, where undefined, left out. */
function findingsWith(changes) {
  const root = join(folder, String(trees++));
  for (const [name, text] of Object.entries({ ...sound, ...changes })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return findings(root);
}

test('a sound tree has no findings', () => {
  expect(findingsWith({})).toEqual([]);
});

test.each([
  [
    'a folder may not import what is above it',
    'shared/src/net/dial.ts',
    "import { send } from '../carrier/tls.ts';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'an import over several lines counts',
    'shared/src/net/dial.ts',
    "import {\n  send,\n  type Sent,\n} from '../carrier/tls.ts';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'an import in double quotes counts',
    'shared/src/net/dial.ts',
    'import { send } from "../carrier/tls.ts";',
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'an import of types counts',
    'shared/src/net/dial.ts',
    "import type { Sent } from '../carrier/tls.ts';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'an import for its effect counts',
    'shared/src/net/dial.ts',
    "import '../carrier/tls.ts';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'an import at run time counts',
    'shared/src/net/dial.ts',
    "const { send } = await import('../carrier/tls.ts');",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'what is passed on counts',
    'shared/src/net/dial.ts',
    "export { send } from '../carrier/tls.ts';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'one file of a folder may be open where the rest is not',
    'shared/src/session/drive.ts',
    "import { send } from '../carrier/tls.ts';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'the wire formats use nothing of Node',
    'shared/src/protocol/clock.ts',
    "import { hrtime } from 'node:process';",
    'may not import node:process',
  ],
  [
    'the policy opens no socket',
    'egress/src/policy/dial.ts',
    "import { connect } from 'node:net';",
    'may not import node:net',
  ],
  [
    'a file of the shared package is judged by its folder',
    'egress/src/policy/dial.ts',
    "import { send as dispatch } from '@adit/shared/carrier/tls';",
    'may not import shared/src/carrier/tls.ts',
  ],
  [
    'a file that the shared package does not have is a finding',
    'egress/src/policy/dial.ts',
    "import { nothing } from '@adit/shared/net/nothing';",
    'there is no shared/src/net/nothing.ts',
  ],
  [
    'the shared package is not taken whole',
    'egress/src/policy/dial.ts',
    "import * as shared from '@adit/shared';",
    'there is no shared/src/.ts',
  ],
  [
    'a package does not import the other half',
    'egress/src/server.ts',
    "import { link } from '@adit/ingress';",
    '@adit/ingress is not among the dependencies of its package',
  ],
  [
    'a dependency is declared by the package that uses it',
    'egress/src/server.ts',
    "import pino from 'pino';",
    'pino is not among the dependencies of its package',
  ],
  [
    'a relative path does not reach into another package',
    'egress/src/server.ts',
    "import { link } from '../../ingress/src/link.ts';",
    'may not import ingress/src/link.ts',
  ],
  [
    'a folder that the table does not know is a finding',
    'shared/src/elsewhere/file.ts',
    '',
    'the import table does not know this folder',
  ],
  ['a file has 350 lines at most', 'egress/src/server.ts', '\n'.repeat(351), '351 lines, at most 350'],
  [
    'a source that runs has a test beside it',
    'egress/src/server.ts',
    'export async function serve() {}',
    'no test beside it',
  ],
  ['an abstract class runs', 'egress/src/server.ts', 'export abstract class Server {}', 'no test beside it'],
  ['a file name says something', 'egress/src/policy-utils.ts', '', 'the name says nothing; name the idea'],
  ['a file name is kebab-case', 'egress/src/policyRules.ts', '', 'not kebab-case'],
])('%s', (_title, file, text, finding) => {
  expect(findingsWith({ [`packages/${file}`]: text })).toEqual([`${file}: ${finding}`]);
});

test('a test beside a source, a declaration, an index and a main need no test', () => {
  const text = 'export const ready = true;\n';
  expect(
    findingsWith(
      Object.fromEntries(
        ['server.ts', 'server.test.ts', 'native.d.ts', 'index.ts', 'main.ts'].map((name) => [
          `packages/egress/src/${name}`,
          text,
        ]),
      ),
    ),
  ).toEqual([]);
});

test('a line of a source has 120 columns at most, a line of a document as many as it likes', () => {
  const line = `// ${'x'.repeat(118)}\n`;
  expect(findingsWith({ 'bench/run.ts': `\n${line}`, 'docs/guide.md': line })).toEqual([
    'bench/run.ts:2: 121 columns, at most 120',
  ]);
});

test('a test may import anything', () => {
  expect(findingsWith({ 'packages/shared/src/net/dial.test.ts': "import { link } from '@adit/ingress';\n" })).toEqual(
    [],
  );
});

test('no file names a place on the machine of its author', () => {
  const place = ['', 'work', 'notes.md'].join('/');
  expect(findingsWith({ 'docs/guide.md': `first\nsee ${place}\nhttps://example.org${place}\n` })).toEqual([
    'docs/guide.md:2: names a place on one machine',
  ]);
});
