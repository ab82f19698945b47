import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bindNative, type Loading } from './calls.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;
const declarations = { getpid: { takes: [], returns: 'int32' } } as const;
const failing = (message: string, code?: string): Loading => ({
  platform: 'linux',
  builtin: () => undefined,
  load: () => {
    throw Object.assign(new Error(message), code === undefined ? {} : { code });
  },
});

onLinux('a function of the C library is called', () => {
  const native = bindNative(declarations);
  expect('missing' in native ? native : native.call.getpid()).toBe(process.pid);
});

test('on other systems than Linux the answer says so, and nothing is loaded', () => {
  const never = (): never => {
    throw new Error('loaded');
  };
  expect(bindNative(declarations, { platform: 'darwin', builtin: never, load: never })).toEqual({
    missing: 'Linux, and this is darwin',
  });
});

test('without both libraries the answer says how to install one; if it does not load, why', () => {
  expect(bindNative(declarations, failing('Cannot find module', 'MODULE_NOT_FOUND'))).toEqual({
    missing:
      'Node 26, or the package koffi, which is not installed: run "npm install koffi" in the folder where Adit is ' +
      'installed',
  });
  expect(bindNative(declarations, failing('Cannot find the native Koffi module; did you bundle it?\nmore'))).toEqual({
    missing: expect.stringContaining('cannot be loaded (Cannot find the native Koffi module; did you bundle it?): run'),
  });
});

test('koffi takes the place of a node:ffi that refuses', () => {
  const refuses = {
    dlopen: () => {
      throw new Error('denied');
    },
  };
  const koffi = { load: () => ({ func: () => () => 7 }), errno: () => 0 };
  const native = bindNative(declarations, { platform: 'linux', builtin: () => refuses, load: () => koffi });
  expect(native).toMatchObject({ by: 'koffi' });
});

test('the warning that node:ffi is experimental does not reach the user, others do', () => {
  const script =
    `const { bindNative } = await import(${JSON.stringify(join(import.meta.dirname, 'calls.ts'))});` +
    `console.log(bindNative(${JSON.stringify(declarations)}).by ?? 'none');` +
    `process.emitWarning('of others');`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--experimental-strip-types', '--input-type=module', '-e', script],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  expect(stdout).toMatch(/^(node:ffi|koffi|none)\n$/);
  expect(stderr).toContain('of others');
  expect(stderr).not.toContain('FFI');
});
