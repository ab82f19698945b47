/**
 * Bundles the programs: `adit`, `adit-ingress` and `adit-egress`, each into `dist` of its package.
 *   main.js      what is run: it turns on the compile cache, and loads one of the others
 *   program.js   everything in one file. What is imported late is inside, so that a program goes on when an upgrade
 *                replaces its files
 *   egress.js, ingress.js, connect.js (of `adit`)   the same with one command, for those that start often or stay
 *   *.js.map     lead from a stack to the source (node --enable-source-maps)
 *   package.json   says that all are CommonJS. A module that imports `node:http` or `node:tls` makes Node evaluate all
 *                of their exports, among them a web client and the roots of the system: 20 ms of CPU and 6 MB
 * Rule: it writes only what is older than its sources, whole or not at all, and `dist` holds nothing else. The version
 * is that of the repository's package.json, the commit that of the variable ADIT_COMMIT, which a release sets. The
 * native libraries are optional and stay outside.
 * usage: node scripts/bundle.mjs; jest calls it before end-to-end tests
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The files with a program, by the package in whose `dist` they are, each with its source. */
const programs = {
  cli: {
    program: 'main.ts',
    egress: 'programs/egress/main.ts',
    ingress: 'programs/ingress/main.ts',
    connect: 'programs/connect/main.ts',
  },
  egress: { program: 'main.ts' },
  ingress: { program: 'main.ts' },
};
/** Optional native libraries, found at run time or not. */
const native = ['koffi'];

/** What main.js is made of: it loads the file that is called as the command, if there is one. */
const starter = (files) => `
import { keepCompiledCode } from '@adit/shared/process/compiled-code';
keepCompiledCode();
const [, , command] = process.argv;
const file = ${JSON.stringify(files)}.includes(command) ? './' + command + '.js' : './program.js';
require(file);
`;

/** Bundles what is out of date. */
export default async function bundleAll() {
  const changedMs = newest();
  const stale = Object.keys(programs).filter((name) => builtMs(name) <= changedMs);
  if (stale.length > 0) await Promise.all(stale.map(bundle));
}

async function bundle(name) {
  const { files } = await filesOf(name);
  write(join(root, 'packages', name, 'dist'), files);
}

/**
 * The files of the `dist` of a package, and the paths of what they were made from. Writes nothing. A release says by
 * `define` which commit it is.
 */
export async function filesOf(name, define = {}) {
  const folder = join(root, 'packages', name);
  const dist = join(folder, 'dist');
  const sources = Object.entries(programs[name]);
  const start = { contents: starter(sources.map(([file]) => file)), resolveDir: folder, sourcefile: 'start.js' };
  const options = { sourcemap: true, sourcesContent: false, define };
  const outputs = await Promise.all([
    ...sources.map(([file, source]) =>
      esbuild({ entryPoints: [join(folder, 'src', source)], outfile: join(dist, `${file}.js`), ...options }),
    ),
    esbuild({ stdin: start, outfile: join(dist, 'main.js'), banner: { js: '#!/usr/bin/env node' } }),
  ]);
  const kind = { path: join(dist, 'package.json'), contents: '{ "type": "commonjs" }\n' };
  return {
    files: [kind, ...outputs.flatMap(({ outputFiles }) => outputFiles)],
    inputs: outputs.flatMap(({ metafile }) => Object.keys(metafile.inputs)),
  };
}

/** Writes these files and removes all others: main.js last, whose time says that the others are there. */
function write(dist, files) {
  mkdirSync(dist, { recursive: true });
  for (const { path, contents } of files) replace(path, contents, basename(path) === 'main.js' ? 0o755 : 0o644);
  const kept = new Set(files.map(({ path }) => basename(path)));
  for (const other of readdirSync(dist)) if (!kept.has(other)) rmSync(join(dist, other), { recursive: true });
}

/** What every bundle is made with; the caller writes the files. */
export async function esbuild(options) {
  const { build } = await import('esbuild');
  return build({
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true, // names stay: they are in stacks
    lineLimit: 120, // Node prints the line that threw
    absWorkingDir: root, // paths in the output start here
    metafile: true,
    ...options,
    define: {
      ADIT_VERSION: JSON.stringify(version()),
      ADIT_COMMIT: JSON.stringify(process.env['ADIT_COMMIT'] ?? ''),
      'import.meta.url': 'moduleUrl',
      ...options.define,
    },
    banner: options.banner ?? { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
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
