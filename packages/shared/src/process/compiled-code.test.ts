import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../../../test/support/child.ts';
import { fromSource } from '../../../../test/support/source-program.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { cacheFolder, makeOurs } from './compiled-code.ts';

const folder = temporaryFolder();
const made = (...names: string[]): string => {
  const path = join(folder, ...names);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
};
const home = made('home');
const nowhere = join(folder, 'nowhere');
const on = (platform: string) => ({ platform, home: () => home });

describe('the folder', () => {
  test('is that of the service, else that of the user, else the one that the system has for caches', () => {
    const [service, own] = [made('service'), made('own')];
    expect(cacheFolder({ CACHE_DIRECTORY: `${service}:/other`, XDG_CACHE_HOME: own }, on('linux'))).toBe(
      join(service, 'compiled'),
    );
    expect(cacheFolder({ XDG_CACHE_HOME: own }, on('linux'))).toBe(join(own, 'adit', 'compiled'));
    expect(cacheFolder({ XDG_CACHE_HOME: '' }, on('linux'))).toBe(join(home, '.cache', 'adit', 'compiled'));
    expect(cacheFolder({}, on('darwin'))).toBe(join(home, 'Library', 'Caches', 'adit', 'compiled'));
    expect(cacheFolder({ LOCALAPPDATA: own }, on('win32'))).toBe(join(own, 'adit', 'compiled'));
  });
  test('is none for a user without a home', () => {
    const homeless = (path: () => string) => cacheFolder({}, { platform: 'linux', home: path });
    expect(homeless(() => nowhere)).toBeUndefined();
    expect(homeless(() => '/')).toBeUndefined();
    expect(homeless(() => '')).toBeUndefined();
    expect(
      homeless(() => {
        throw new Error('ENOENT: uv_os_homedir');
      }),
    ).toBeUndefined();
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' }, on('linux'))).toBeUndefined();
  });
  test('is made for us alone, and used only where nobody else can write', () => {
    const cache = join(home, '.cache', 'adit');
    expect(makeOurs(cache)).toBe(true);
    expect(makeOurs(cache)).toBe(true);

    chmodSync(home, 0o775);
    expect(makeOurs(cache)).toBe(false);
    chmodSync(home, 0o755);
    chmodSync(cache, 0o757);
    expect(makeOurs(cache)).toBe(false);
    chmodSync(cache, 0o700);
    expect(makeOurs(cache)).toBe(true);
  });
  test('is judged where a link leads', () => {
    const open = made('open');
    chmodSync(open, 0o777);
    symlinkSync(open, join(folder, 'link'));
    expect(makeOurs(join(folder, 'link', 'adit'))).toBe(false);
    chmodSync(open, 0o755);
    expect(makeOurs(join(folder, 'link', 'adit'))).toBe(true);
  });
  test('is not made where a file is in its way', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(makeOurs(join(folder, 'file', 'adit'))).toBe(false);
  });
});

describe('a program', () => {
  const module = pathToFileURL(join(import.meta.dirname, 'compiled-code.ts')).href;
  const program = join(folder, 'program.mjs');
  writeFileSync(
    program,
    `import { keepCompiledCode, saveCompiledCode } from '${module}';
    keepCompiledCode();
    await import('./rest.mjs');
    saveCompiledCode();`,
  );
  writeFileSync(join(folder, 'rest.mjs'), 'export const rest = () => 1;');
  const start = async (environment: Record<string, string>, command = 'egress'): Promise<unknown> => {
    const { code, stderr } = await run(process.execPath, [...fromSource, program, command], {
      cwd: folder,
      env: { NODE_COMPILE_CACHE: undefined, XDG_CACHE_HOME: undefined, ...environment },
    });
    return { code, stderr };
  };
  const fine = { code: 0, stderr: '' };

  test('has a cache for each of its commands', async () => {
    const cache = made('cache');
    expect(await start({ XDG_CACHE_HOME: cache })).toEqual(fine);
    expect(await start({ XDG_CACHE_HOME: cache }, 'connect')).toEqual(fine);
    expect(await start({ XDG_CACHE_HOME: cache }, '../../../elsewhere')).toEqual(fine);
    expect(readdirSync(join(cache, 'adit', 'compiled')).sort()).toEqual(['adit', 'connect', 'egress']);
  });
  test('starts without one where there is no place for it, or it is not wanted', async () => {
    const unwanted = made('unwanted');
    expect(await start({ HOME: nowhere })).toEqual(fine);
    expect(await start({ XDG_CACHE_HOME: join(folder, 'file') })).toEqual(fine);
    expect(await start({ XDG_CACHE_HOME: unwanted, NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual(fine);
    expect([nowhere, join(unwanted, 'adit')].filter((path) => existsSync(path))).toEqual([]);
  });
});
