/**
 * Holds the layout of ARCHITECTURE.md: who may import whom, declared dependencies, a test beside every source, file size, file names.
 * Rule: one table below is the truth; a folder that it does not know is a finding. Cycles are the linter's (import/no-cycle).
 * Imports are read by their one spelling in this repository (`from '...'`), not by a parser.
 * usage: node scripts/layout.mjs [ROOT]
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const maxLines = 300;
/** Folder, or single file, to the folders and files of ours that it may import; longest match wins. `@adit/x` is a package. */
const mayImport = {
  'shared/src/protocol': ['shared/src/protocol'],
  'shared/src/errors.ts': ['shared/src/protocol'],
  'shared/src/observe': ['shared/src/observe', 'shared/src/protocol', 'shared/src/errors.ts'],
  'shared/src/net': ['shared/src/net', 'shared/src/protocol', 'shared/src/errors.ts', 'shared/src/observe'],
  'shared/src/identity': ['shared/src/identity', 'shared/src/protocol', 'shared/src/errors.ts', 'shared/src/observe'],
  'shared/src/config': ['shared/src/config', 'shared/src/protocol', 'shared/src/errors.ts', 'shared/src/observe'],
  'shared/src/carrier': ['shared/src/carrier', 'shared/src/net', 'shared/src/identity', 'shared/src/protocol', 'shared/src/errors.ts', 'shared/src/observe'],
  'shared/src/session': ['shared/src/session', 'shared/src/carrier/contract.ts', 'shared/src/protocol', 'shared/src/net', 'shared/src/errors.ts', 'shared/src/observe'],
  'shared/src/index.ts': ['shared/src'],
  'ingress/src/frontend': ['ingress/src/frontend', '@adit/shared'],
  'ingress/src/connection.ts': ['ingress/src/frontend/contract.ts', 'ingress/src/link.ts', '@adit/shared'],
  'ingress/src': ['ingress/src', '@adit/shared'],
  'egress/src/policy': ['egress/src/policy', '@adit/shared'],
  'egress/src/dialer': ['egress/src/dialer', '@adit/shared'],
  'egress/src/stream.ts': ['egress/src/policy', 'egress/src/dialer', 'egress/src/limits.ts', '@adit/shared'],
  'egress/src': ['egress/src', '@adit/shared'],
  'pki/src': ['pki/src', '@adit/shared'],
  'cli/src': ['cli/src', '@adit/shared', '@adit/pki', '@adit/ingress', '@adit/egress'],
};
/** The policy is pure: of node's modules it reads its own file and hashes, and never a socket. */
const neverImport = { 'egress/src/policy': ['node:net', 'node:tls', 'node:dns', 'node:http'], 'shared/src/protocol': builtinModules.flatMap((name) => [name, `node:${name}`]) };
const vagueNames = /(^|-)(manager|handler|utils?|helpers?|common|base|impl|data|info|misc)(-|\.)/;

/** Every finding about the packages below `root`, as lines to print. */
export function findings(root) {
  const packages = join(root, 'packages');
  return sources(packages).flatMap((file) => {
    const name = relative(packages, file).split(sep).join('/');
    const text = readFileSync(file, 'utf8');
    return [...aboutName(name), ...aboutSize(name, text), ...aboutTest(file, name, text), ...aboutImports(packages, name, text)];
  });
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/[\\/](node_modules|dist)([\\/]|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function aboutName(name) {
  const file = name.split('/').at(-1);
  if (vagueNames.test(file)) return [`${name}: the name says nothing; name the idea`];
  return /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/.test(file) ? [] : [`${name}: not kebab-case`];
}

function aboutSize(name, text) {
  const lines = text.split('\n').length - 1;
  return lines > maxLines ? [`${name}: ${lines} lines, at most ${maxLines}`] : [];
}

function aboutTest(file, name, text) {
  if (/(\.test|\.d|[\\/]index|[\\/]main)\.ts$/.test(file) || typesOnly(text)) return [];
  return existsSync(file.replace(/\.ts$/, '.test.ts')) ? [] : [`${name}: no test beside it`];
}

/** A file that exports nothing that runs needs no test. */
function typesOnly(text) { return !/^export (async )?(function|const|let|class)\b/m.test(text); }

function aboutImports(packages, name, text) {
  if (name.endsWith('.test.ts')) return [];
  const folder = longest(Object.keys(mayImport), name);
  if (folder === undefined) return [`${name}: the import table does not know this folder`];
  const [owner] = name.split('/');
  const declared = Object.keys(JSON.parse(readFileSync(join(packages, owner, 'package.json'), 'utf8')).dependencies ?? {});
  return importsOf(text).flatMap((specifier) => {
    const never = Object.entries(neverImport).some(([where, what]) => name.startsWith(where) && what.includes(specifier));
    if (never) return [`${name}: may not import ${specifier}`];
    if (specifier.startsWith('node:')) return [];
    const target = specifier.startsWith('.') ? relative(packages, resolve(packages, dirname(name), specifier)).split(sep).join('/') : specifier;
    if (!specifier.startsWith('.')) {
      const root = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0];
      if (!declared.includes(root)) return [`${name}: ${root} is not among the dependencies of its package`];
      if (!specifier.startsWith('@adit/')) return [];
    }
    return mayImport[folder].some((allowed) => target === allowed || target.startsWith(`${allowed}/`)) ? [] : [`${name}: may not import ${target}`];
  });
}

function importsOf(text) { return [...text.matchAll(/^(?:import|export)\b[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm)].map(([, a, b, c]) => a ?? b ?? c); }

function longest(keys, name) { return keys.filter((key) => name === key || name.startsWith(`${key}/`)).sort((a, b) => b.length - a.length)[0]; }

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = findings(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  for (const line of found) process.stdout.write(`${line}\n`);
  process.stdout.write(found.length === 0 ? 'layout: as ARCHITECTURE.md says\n' : `layout: ${found.length} findings\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
