/**
 * Holds the layout of ARCHITECTURE.md: who may import whom, declared dependencies, a test beside every source, file
 * size, file names.
 * Rule: the table below decides; a folder that is not in it is a finding. `@adit/shared/ROOM/FILE` is judged
 * as the file that it names. Imports are read by their one form in this repository, not by a parser.
 * Not here: the format (oxfmt), cycles (the linter's import/no-cycle), and what tests may import (everything).
 * usage: node scripts/layout.mjs [ROOT]
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [maxLines, maxColumns] = [350, 120];
const [protocol, codes, errors, observe, net, identity, config, carrier, session, stream, process_, native] = [
  'protocol',
  'codes.ts',
  'errors.ts',
  'observe',
  'net',
  'identity',
  'config',
  'carrier',
  'session',
  'stream',
  'process',
  'native',
].map((name) => `shared/src/${name}`);
const contract = `${carrier}/contract.ts`;
const frontEndContract = 'ingress/src/frontend/contract.ts';
const base = [protocol, codes, errors, observe];

/** Maps a folder or file to those of ours that it may import, beside itself. The longest match counts. */
const mayImport = {
  [protocol]: [],
  [codes]: [],
  [errors]: [codes, protocol],
  [observe]: [protocol, codes, errors],
  [native]: base,
  [net]: [...base, native],
  [identity]: [...base, `${process_}/secret-mode.ts`],
  [config]: [...base, `${process_}/secret-mode.ts`],
  [carrier]: [...base, net, identity],
  [`${carrier}/proxy-files.ts`]: [...base, identity, 'shared/src/config/values/proxy-url.ts'],
  [session]: [...base, net, contract],
  [stream]: [...base, net],
  [process_]: [...base, native],
  'ingress/src/frontend': [...base, net, identity],
  'ingress/src/link': [
    ...base,
    identity,
    session,
    `${net}/backoff.ts`,
    `${net}/tcp-control.ts`,
    contract,
    `${carrier}/tls.ts`,
    `${carrier}/websocket.ts`,
    `${stream}/contract.ts`,
    'shared/src/config/values/duration.ts',
    'shared/src/config/values/egress-address.ts',
    'shared/src/config/values/header.ts',
    'ingress/src/proxy/proxies.ts',
  ],
  'ingress/src/connect': [
    ...base,
    net,
    stream,
    `${carrier}/connect-denial.ts`,
    `${carrier}/proven-connect.ts`,
    `${carrier}/proven-tls.ts`,
    `${session}/doubt.ts`,
    'shared/src/config/values/egress-address.ts',
    'ingress/src/link/egresses.ts',
    'ingress/src/link/keep-trying.ts',
  ],
  'ingress/src/proxy': [
    ...base,
    `${carrier}/route.ts`,
    `${carrier}/proxy-files.ts`,
    'shared/src/config/environment.ts',
    'shared/src/config/values/proxy-url.ts',
    'shared/src/config/values/no-proxy.ts',
    'shared/src/config/values/listen-at.ts',
    'ingress/src/options.ts',
  ],
  'ingress/src/transparent': [
    ...base,
    native,
    `${net}/listen.ts`,
    `${net}/outgoing.ts`,
    'shared/src/config/complaint.ts',
    'shared/src/config/values/transparent-listen.ts',
    'ingress/src/frontend/contract.ts',
    'ingress/src/frontend/transparent.ts',
  ],
  'ingress/src/stdio': [
    ...base,
    config,
    `${net}/drive.ts`,
    `${net}/join.ts`,
    `${process_}/package-version.ts`,
    `${process_}/signals.ts`,
    `${stream}/contract.ts`,
    `${stream}/movable-stream.ts`,
    `${stream}/stream-duplex.ts`,
    'ingress/src/agent.ts',
    'ingress/src/options.ts',
    'ingress/src/options/settings.ts',
    'ingress/src/frontend/control-duplex.ts',
  ],
  'ingress/src/connection.ts': [
    ...base,
    stream,
    frontEndContract,
    'ingress/src/local-client.ts',
    'ingress/src/carry.ts',
  ],
  'ingress/src/carry.ts': [...base, stream, frontEndContract, 'ingress/src/local-client.ts'],
  'ingress/src/local-client.ts': [...base, net, frontEndContract],
  'ingress/src': ['shared/src'],
  'egress/src/policy': [
    ...base,
    'shared/src/config/values/duration.ts',
    'shared/src/config/values/proxy-url.ts',
    'shared/src/config/values/egress-address.ts',
  ],
  'egress/src/dialer': [...base, net],
  'egress/src/backend': [
    ...base,
    net,
    identity,
    `${carrier}/system-roots.ts`,
    `${carrier}/route.ts`,
    `${carrier}/proxy-files.ts`,
    `${carrier}/proven-tls.ts`,
    `${carrier}/proven-connect.ts`,
    'egress/src/dialer',
    'egress/src/policy/service.ts',
    'egress/src/policy/via.ts',
    'egress/src/via-header.ts',
  ],
  'egress/src/limits': [...base, `${session}/turn-budget.ts`],
  'egress/src/stream.ts': [
    ...base,
    net,
    identity,
    stream,
    'egress/src/policy',
    'egress/src/dialer',
    'egress/src/backend',
    'egress/src/limits',
    'egress/src/via-header.ts',
  ],
  'egress/src/clients': [
    ...base,
    identity,
    stream,
    contract,
    'egress/src/backend',
    'egress/src/policy/policy.ts',
    'egress/src/limits',
    'egress/src/stream.ts',
  ],
  'egress/src/session': [
    ...base,
    identity,
    contract,
    session,
    `${carrier}/tls.ts`,
    'shared/src/config/values/duration.ts',
    'egress/src/clients',
    'egress/src/door/arrivals.ts',
    'egress/src/limits',
  ],
  'egress/src/connect': [
    ...base,
    net,
    identity,
    stream,
    `${carrier}/websocket-server.ts`,
    'egress/src/clients',
    'egress/src/door/arrivals.ts',
    'egress/src/via-header.ts',
  ],
  'egress/src/door/arrivals.ts': [
    ...base,
    net,
    'egress/src/clients/denied.ts',
    'egress/src/door/places.ts',
    'egress/src/door/source.ts',
  ],
  'egress/src/door': [
    ...base,
    net,
    identity,
    carrier,
    'shared/src/config/values/listen-at.ts',
    'egress/src/clients',
    'egress/src/session',
    'egress/src/connect',
  ],
  'egress/src': ['shared/src'],
  'pki/src': [...base, identity, config],
  'cli/src': ['shared/src', '@adit/pki', '@adit/ingress', '@adit/egress'],
};

/** Modules of Node that a folder may not use: the wire formats use none, the policy only reads its file. */
const neverImport = {
  [protocol]: builtinModules.map((name) => `node:${name.replace('node:', '')}`),
  'egress/src/policy': ['child_process', 'dgram', 'dns', 'dns/promises', 'http', 'http2', 'https', 'net', 'tls'].map(
    (name) => `node:${name}`,
  ),
};

const vagueNames = /(^|-)(manager|handler|utils?|helpers?|common|base|impl|data|info|misc)(-|\.)/;
/** Paths that exist only on the machine of one author. */
const privatePlaces = /(?<![\w.~-])\/(?:work|farm)\/|\bshared\/(?:design|probes)\b/;
const ignored = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache']);

/** Every finding about the tree below `root`, as lines to print. */
export function findings(root) {
  const packages = join(root, 'packages');
  const inPackages = filesBelow(packages)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const name = slashed(relative(packages, file));
      const text = readFileSync(file, 'utf8');
      return [
        ...aboutName(name),
        ...aboutSize(name, text),
        ...aboutTest(file, name, text),
        ...aboutImports(packages, name, text),
      ];
    });
  return [
    ...inPackages,
    ...filesBelow(root, join(root, 'release')).flatMap((file) =>
      aboutText(slashed(relative(root, file)), readFileSync(file, 'utf8')),
    ),
  ];
}

/** Not those that `npm run release` makes. */
function filesBelow(folder, artifacts) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !ignored.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return path === artifacts ? [] : filesBelow(path, artifacts);
      return entry.isFile() ? [path] : [];
    })
    .sort((one, other) => (one < other ? -1 : 1));
}

function slashed(path) {
  return path.split(sep).join('/');
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

/** A file without code at run time needs no test. */
function typesOnly(text) {
  return !/^export (?:(?:async |abstract )*(?:function|const|let|class)\b|\{[^}]*\}(?!\s*from))/m.test(text);
}

/** Every line of every file; only sources have a width. */
function aboutText(name, text) {
  const source = /\.(ts|mjs)$/.test(name);
  return text
    .split('\n')
    .flatMap((line, at) => [
      ...(privatePlaces.test(line) ? [`${name}:${at + 1}: names a place on one machine`] : []),
      ...(source && line.length > maxColumns
        ? [`${name}:${at + 1}: ${line.length} columns, at most ${maxColumns}`]
        : []),
    ]);
}

function aboutImports(packages, name, text) {
  if (name.endsWith('.test.ts')) return [];
  const folder = longest(Object.keys(mayImport), name);
  if (folder === undefined) return [`${name}: the import table does not know this folder`];
  const { dependencies = {} } = JSON.parse(readFileSync(join(packages, name.split('/')[0], 'package.json'), 'utf8'));
  return importsOf(text).flatMap((specifier) => {
    if (specifier.startsWith('.'))
      return judged(folder, name, slashed(relative(packages, resolve(packages, dirname(name), specifier))));
    if (isBuiltin(specifier))
      return Object.entries(neverImport).some(([where, what]) => within(where, name) && what.includes(specifier))
        ? [`${name}: may not import ${specifier}`]
        : [];
    const owner = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (!Object.hasOwn(dependencies, owner)) return [`${name}: ${owner} is not among the dependencies of its package`];
    if (owner !== '@adit/shared') return owner.startsWith('@adit/') ? judged(folder, name, specifier) : [];
    const target = `shared/src/${specifier.slice(owner.length + 1)}.ts`;
    return existsSync(join(packages, target)) ? judged(folder, name, target) : [`${name}: there is no ${target}`];
  });
}

function judged(folder, name, target) {
  return [folder, ...mayImport[folder]].some((allowed) => within(allowed, target))
    ? []
    : [`${name}: may not import ${target}`];
}

function within(folder, name) {
  return name === folder || name.startsWith(`${folder}/`);
}

function isBuiltin(specifier) {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** What a text imports, and passes on, from where. */
function importsOf(text) {
  const listed = [...text.matchAll(/^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm)].map(
    ([, specifier]) => specifier,
  );
  const bare = [...text.matchAll(/^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm)].map(
    ([, first, second]) => first ?? second,
  );
  return [...listed, ...bare];
}

function longest(keys, name) {
  return keys.filter((key) => within(key, name)).sort((a, b) => b.length - a.length)[0];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = findings(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  for (const line of found) process.stdout.write(`${line}\n`);
  process.stdout.write(found.length === 0 ? 'layout: as ARCHITECTURE.md says\n' : `layout: ${found.length} findings\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
