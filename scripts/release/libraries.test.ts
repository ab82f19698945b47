import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { librariesIn } from './libraries.ts';
import { noticesOf } from './notices.ts';

const root = mkdtempSync(join(tmpdir(), 'adit-libraries-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const at = 'node_modules/.pnpm/ws@8.0.0/node_modules/ws';
put('pnpm-lock.yaml', 'packages:\n  ws@8.0.0:\n    resolution: {integrity: sha512-AAAA}\n');
put(`${at}/package.json`, '{ "name": "ws", "version": "8.0.0", "license": "MIT" }');
put(`${at}/LICENSE`, 'Permission is hereby granted\n');
put(`${at}/lib/package.json`, '{ "type": "module" }');
const ws = {
  name: 'ws',
  version: '8.0.0',
  licence: 'MIT',
  text: 'Permission is hereby granted',
  integrity: 'sha512-AAAA',
};

test('each library among the inputs is listed once, with its licence and its hash; ours is none', () => {
  const inputs = ['packages/cli/src/main.ts', `${at}/lib/a.js`, `${at}/lib/b.js`];
  expect(librariesIn(root, inputs)).toEqual([ws]);
});

test('a library without the text of its licence, or that the lockfile does not know, stops the release', () => {
  const other = 'node_modules/.pnpm/x@1.0.0/node_modules/x';
  put(`${other}/package.json`, '{ "name": "x", "version": "1.0.0", "license": "MIT" }');
  expect(() => librariesIn(root, [`${other}/index.js`])).toThrow('x 1.0.0 has no text of its licence');
  put(`${other}/license.md`, 'Permission');
  expect(() => librariesIn(root, [`${other}/index.js`])).toThrow('pnpm-lock.yaml has no x 1.0.0');
});

test('the notices have every text, and that of Node where Node is inside', () => {
  expect(noticesOf([ws])).toMatch(/^Adit is licensed[^]*\n\nws 8\.0\.0 \(MIT\)\n\nPermission is hereby granted\n$/);
  expect(noticesOf([ws], { version: '26.0.0', licence: 'Node licence' })).toMatch(
    /Node\.js 26\.0\.0[^]*Node licence\n$/,
  );
});
