/**
 * Rules of the linter that this repository counts on are seen failing: one file for each, linted in one run with our
 * configuration.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'adit-lint-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const faults = [
  ['typescript(no-floating-promises)', 'export async function f() { await null; }\nf();'],
  ['typescript(no-misused-promises)', 'export function f(wait: () => Promise<void>) { setTimeout(wait, 1); }'],
  ['typescript(await-thenable)', 'export async function f(n: number) { await n; }'],
  ['typescript(no-explicit-any)', 'export function f(a: any) { return typeof a; }'],
  ['typescript(no-unsafe-member-access)', "export const a: unknown = JSON.parse('{}').a;"],
  ['typescript(only-throw-error)', "export function f() { throw 'text'; }"],
  [
    'typescript(switch-exhaustiveness-check)',
    "export function f(a: 'x' | 'y') { switch (a) { case 'x': return 1; } return 2; }",
  ],
  ['typescript(consistent-type-imports)', "import { Socket } from 'node:net';\nexport type A = Socket;"],
  ['import(no-default-export)', 'const a = 1;\nexport default a;'],
  [
    'import(no-cycle)',
    "import type { B } from './second.ts';\nexport interface A { readonly b: B }",
    "import type { A } from './first.ts';\nexport interface B { readonly a: A }",
  ],
  ['unicorn(prefer-node-protocol)', "import { connect } from 'net';\nexport const a = connect;"],
  ['eslint(no-console)', "console.log('a');"],
  ['eslint(no-empty)', 'export function f() { try { return 1; } catch {}\n return 2; }'],
  ['eslint(max-params)', 'export function f(a: number, b: number, c: number, d: number) { return a + b + c + d; }'],
  ['eslint(max-lines)', '// line\n'.repeat(351)],
  ['eslint(max-lines-per-function)', `export function f() {\n${'  // line\n'.repeat(40)}}`],
  ['jest(no-focused-tests)', "import { test } from '@jest/globals';\ntest.only('a', () => {});"],
];

const found = new Map();
beforeAll(() => {
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.base.json'), include: ['packages/**/*.ts'] }),
  );
  for (const [at, [, ...texts]] of faults.entries()) {
    for (const [number, text] of texts.entries()) {
      const file = join(folder, `packages/fault-${at}/src/${['first', 'second'][number]}.ts`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '-f', 'json', 'packages'],
    { cwd: folder, encoding: 'utf8' },
  );
  for (const { filename, code } of JSON.parse(stdout).diagnostics) {
    const at = Number(/fault-(\d+)/.exec(filename)[1]);
    found.set(at, [...(found.get(at) ?? []), code]);
  }
}, 30_000);

test.each(faults.map(([rule], at) => ({ rule, at })))('$rule is held', ({ rule, at }) => {
  expect(found.get(at)).toContain(rule);
});
