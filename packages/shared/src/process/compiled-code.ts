/**
 * Keeps what V8 compiled, so that the next start of the same command does not compile it again (`node:module`,
 * `enableCompileCache`).
 * Rule: code is read only from a folder that nobody else can write to, as whoever writes there runs code as us. Where
 * there is no such folder, or it cannot be written, the start is slower and nothing else happens.
 * The folder is that of `CACHE_DIRECTORY` (systemd), else `adit` in the user's cache; below it is one for each command,
 * because a cache holds only the functions that the run compiled that wrote it. `NODE_COMPILE_CACHE` wins, and
 * `NODE_DISABLE_COMPILE_CACHE` turns everything off.
 */
import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import * as module from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** Asks for the cache, before the program is loaded. */
export function keepCompiledCode(
  environment: NodeJS.ProcessEnv = process.env,
  [, , command]: readonly string[] = process.argv,
): void {
  // In these cases Node has decided already.
  if (environment['NODE_COMPILE_CACHE'] !== undefined || environment['NODE_DISABLE_COMPILE_CACHE'] !== undefined)
    return;
  const folder = cacheFolder(environment);
  if (folder === undefined || !makeOurs(folder)) return;
  module.enableCompileCache(join(folder, /^[a-z]+$/.test(command ?? '') ? command! : 'adit'));
}

/** Writes now what has been compiled so far: a service ends after months, or is killed. */
export function saveCompiledCode(): void {
  module.flushCompileCache();
}

interface System {
  readonly platform?: string;
  readonly home?: () => string;
}

/** The folder for the cache of this user; undefined where there is none to put it into. */
export function cacheFolder(
  environment: NodeJS.ProcessEnv,
  { platform = process.platform, home = homedir }: System = {},
): string | undefined {
  const service = environment['CACHE_DIRECTORY']?.split(':')[0];
  if (service !== undefined) return below(service, 'compiled');
  if (platform === 'win32') return below(environment['LOCALAPPDATA'], 'adit', 'compiled');
  const own = environment['XDG_CACHE_HOME'];
  if (own !== undefined && own !== '') return below(own, 'adit', 'compiled');
  return below(homeOr(home), ...(platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']), 'adit', 'compiled');
}

/** Only below a folder that is there: nobody finds a home made by us. */
function below(folder: string | undefined, ...names: readonly string[]): string | undefined {
  const usable = folder !== undefined && isAbsolute(folder) && dirname(folder) !== folder && existsSync(folder);
  return usable ? join(folder, ...names) : undefined;
}

/** The system may not know the user at all, and `homedir` throws. */
function homeOr(home: () => string): string | undefined {
  try {
    return home();
  } catch {
    return undefined;
  }
}

/** Makes the folder, and answers whether nobody but us and root can write to it or to a folder above it. */
export function makeOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return process.platform === 'win32' || isOurs(realpathSync(folder));
  } catch {
    return false; // it is read-only, or not a folder
  }
}

const [othersWrite, sticky] = [0o022, 0o1000];

function isOurs(folder: string): boolean {
  const user = process.geteuid!();
  for (let path = folder; ; path = dirname(path)) {
    const { uid, mode } = lstatSync(path);
    const shared = (mode & othersWrite) !== 0 && (mode & sticky) === 0;
    if ((uid !== user && uid !== 0) || shared) return false;
    if (path === dirname(path)) return true;
  }
}
