/**
 * Bundles the programs: `adit`, `adit-ingress` and `adit-egress`, each into `dist` of its package.
 *   main.js      what is run: it asks for the compile cache, and loads the rest
 *   program.js   everything else, in one file. What it loads late is inside, so that a program goes on when an upgrade
 *                replaces its files
 *   program.js.map   for the stack of a bug, which process/source-stack.ts maps
 * Rule: it writes only what is older than its sources, whole or not at all, and `dist` holds nothing else. The version
 * is that of the repository's package.json, the commit that of the variable ADIT_COMMIT, which a release sets. The
 * native libraries are optional and stay outside.
 * usage: node scripts/bundle.mjs; jest calls it before end-to-end tests
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The packages with a program, in whose `dist` it is. */
const programs = ['cli', 'egress', 'ingress'];
/** Optional native libraries, found at run time or not. */
const native = ['koffi', 'bufferutil', 'utf-8-validate'];

const starter = `
import { keepCompiledCode } from '@adit/shared/process/compiled-code';
keepCompiledCode();
await import('./program.js');
`;

/** Bundles what is out of date. */
export default async function bundleAll() {
  const changedMs = newest();
  const stale = programs.filter((name) => builtMs(name) <= changedMs);
  if (stale.length > 0) await Promise.all(stale.map(bundle));
}

async function bundle(name) {
  const dist = join(root, 'packages', name, 'dist');
  const entry = join(root, 'packages', name, 'src', 'main.ts');
  const stdin = { contents: starter, resolveDir: join(root, 'packages', name), sourcefile: 'start.js' };
  const outputs = await Promise.all([
    esbuild({ entryPoints: [entry], outfile: join(dist, 'program.js'), sourcemap: true, sourcesContent: false }),
    esbuild({
      stdin,
      outfile: join(dist, 'main.js'),
      external: ['./program.js'],
      banner: { js: '#!/usr/bin/env node' },
    }),
  ]);
  mkdirSync(dist, { recursive: true });
  const files = outputs.flatMap(({ outputFiles }) => outputFiles);
  // main.js last: its time says that all are there.
  for (const { path, contents } of files) replace(path, contents, path.endsWith('.js') ? 0o755 : 0o644);
  const kept = new Set(files.map(({ path }) => basename(path)));
  for (const other of readdirSync(dist)) if (!kept.has(other)) rmSync(join(dist, other), { recursive: true });
}

/** For the libraries that are CommonJS: esbuild calls a `require`, which a module does not have. */
const requireOfModule =
  "import { createRequire as __createRequire } from 'node:module'; " +
  'const require = __createRequire(import.meta.url);';

/** What every bundle is made with; the caller writes the files. */
export async function esbuild(options) {
  const { build } = await import('esbuild');
  return build({
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true, // names stay: they are in stacks
    lineLimit: 120, // Node prints the line that threw
    define: { ADIT_VERSION: JSON.stringify(version()), ADIT_COMMIT: JSON.stringify(process.env['ADIT_COMMIT'] ?? '') },
    banner: { js: requireOfModule },
    logLevel: 'warning',
    ...options,
    external: [...native, ...(options.external ?? [])],
  });
}

/** The version of every package and program. */
export function version() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}

function replace(path, contents, mode) {
  const next = `${path}.${process.pid}`;
  writeFileSync(next, contents, { mode });
  renameSync(next, path);
}

function builtMs(name) {
  return statSync(join(root, 'packages', name, 'dist', 'main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When the youngest of the sources was changed. */
function newest() {
  const packages = join(root, 'packages');
  const folders = readdirSync(packages).map((name) => join(packages, name, 'src'));
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, name)),
  );
  const files = [
    ...sources,
    ...['package.json', 'pnpm-lock.yaml', 'scripts/bundle.mjs'].map((name) => join(root, name)),
  ];
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await bundleAll();
