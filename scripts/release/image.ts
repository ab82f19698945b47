/**
 * The container image for every machine, as one OCI archive, written without a daemon.
 * Rule: in it are the executable, the shared libraries that Node needs, the roots of public CAs, and their licences.
 * No shell, no package manager, nothing that runs as root or writes to its own file system. Layers and archive are the
 * same bytes in every build.
 * Spec: OCI image format 1.1 (image-layout, image-index, manifest, config).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Release } from './context.ts';
import { debianPackages, unpack, type DebianPackage } from './debian-packages.ts';
import { executableName } from './executable.ts';
import type { Machine } from './machines.ts';
import { gzipped, tarOf, withFolders, type Entry } from './tar.ts';

/** The packages, and what `ldd` names for Node. */
const packageNames = ['libc6', 'libgcc-s1', 'libatomic1', 'libstdc++6', 'ca-certificates'];
const libraries = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'libgcc_s.so.1',
  'libatomic.so.1',
  'libstdc++.so.6',
];

/** The user that the program runs as; no file is its own. */
const user = 65_532;
const etc: readonly Entry[] = [
  { path: 'etc/passwd', content: `root:x:0:0::/:/sbin/nologin\nadit:x:${user}:${user}::/:/sbin/nologin\n` },
  { path: 'etc/group', content: `root:x:0:\nadit:x:${user}:\n` },
  { path: 'etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
  { path: 'etc/ssl/cert.pem', link: 'certs/ca-certificates.crt' }, // where the OpenSSL of Node looks
];

const indexType = 'application/vnd.oci.image.index.v1+json';

/** By digest. */
type Blobs = Map<string, Buffer>;
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [key: string]: unknown;
}

export interface BuiltImage {
  readonly file: string;
  readonly packages: readonly DebianPackage[];
}

/** Writes `adit-VERSION.oci.tar`; `notices` are the licences of what is in the executable. */
export function buildImage(release: Release, notices: string): BuiltImage {
  const blobs: Blobs = new Map();
  const packages: DebianPackage[] = [];
  const manifests = release.machines.map((machine) => {
    const folder = join(release.scratch, `debian-${machine.debian}`);
    const downloaded = debianPackages(packageNames, machine.debian, folder);
    packages.push(...downloaded);
    const layers = [baseOf(machine, downloaded, join(folder, 'root')), programOf(release, machine, notices)];
    return imageOf(release, { machine, layers }, blobs);
  });
  const annotations = annotationsOf(release);
  const index = storeJson(blobs, indexType, { schemaVersion: 2, mediaType: indexType, manifests, annotations });
  const named = { ...index, annotations: namesOf(release) };
  const file = join(release.out, `adit-${release.version}.oci.tar`);
  writeFileSync(file, archiveOf(release, named, blobs));
  return { file, packages };
}

/** What podman, skopeo and docker call it once they have loaded it. */
function namesOf({ version }: Release): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.ref.name': `adit:${version}`,
    'io.containerd.image.name': `docker.io/library/adit:${version}`,
  };
}

function archiveOf(release: Release, named: Descriptor, blobs: Blobs): Buffer {
  const index = { schemaVersion: 2, mediaType: indexType, manifests: [named] };
  const entries: Entry[] = [
    { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { path: 'index.json', content: JSON.stringify(index) },
    ...[...blobs].map(([digest, content]) => ({ path: `blobs/${digest.replace(':', '/')}`, content })),
  ];
  return tarOf(withFolders(entries), release.time);
}

/** The layer that changes with Debian: libraries, roots, names. */
function baseOf(machine: Machine, packages: readonly DebianPackage[], root: string): Entry[] {
  unpack(packages, root);
  /** A file of Debian, which may keep it in /lib or in /usr/lib; links count as what they point to. */
  const library = (name: string): Buffer => {
    const places = ['lib', 'usr/lib'].map((folder) => join(root, folder, machine.triplet, name));
    const file = places.find((each) => existsSync(each));
    if (file === undefined) throw new Error(`Debian has no ${name} for ${machine.debian}`);
    return readFileSync(file);
  };
  return [
    ...etc,
    ...libraries.map((name) => ({
      path: `usr/lib/${machine.triplet}/${name}`,
      content: library(name),
      mode: 0o755,
    })),
    { path: machine.loader, content: library(basename(machine.loader)), mode: 0o755 },
    { path: 'etc/ssl/certs/ca-certificates.crt', content: rootsIn(join(root, 'usr/share/ca-certificates/mozilla')) },
    ...packages.map(({ name }) => ({
      path: `usr/share/doc/${name}/copyright`,
      content: readFileSync(join(root, 'usr/share/doc', name, 'copyright')),
    })),
  ];
}

/** One file of all roots, as `update-ca-certificates` makes it. */
function rootsIn(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.crt'));
  return files
    .sort()
    .map((name) => `${readFileSync(join(folder, name), 'utf8').trim()}\n`)
    .join('');
}

/** The layer that changes with us. */
function programOf(release: Release, machine: Machine, notices: string): Entry[] {
  return [
    {
      path: 'usr/bin/adit',
      content: readFileSync(join(release.out, executableName(release.version, machine))),
      mode: 0o755,
    },
    { path: 'usr/share/doc/adit/LICENSE', content: readFileSync(join(release.root, 'LICENSE')) },
    { path: 'usr/share/doc/adit/THIRD-PARTY-NOTICES', content: notices },
  ];
}

/** Packs the layers and describes them; returns the line of the index for this machine. */
function imageOf(
  release: Release,
  { machine, layers }: { readonly machine: Machine; readonly layers: readonly (readonly Entry[])[] },
  blobs: Blobs,
): Descriptor {
  const tars = layers.map((entries) => tarOf(withFolders(entries), release.time));
  const packed = tars.map((tar) => store(blobs, 'application/vnd.oci.image.layer.v1.tar+gzip', gzipped(tar, 6)));
  const platform = { architecture: machine.debian, os: 'linux' };
  const created = new Date(release.time * 1000).toISOString();
  const config = storeJson(blobs, 'application/vnd.oci.image.config.v1+json', {
    created,
    ...platform,
    config: {
      User: `${user}:${user}`,
      ExposedPorts: { '8443/tcp': {} },
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['adit'],
      WorkingDir: '/',
      Labels: annotationsOf(release),
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: ['libraries and roots of Debian', 'the program'].map((comment) => ({ created, comment })),
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return { ...storeJson(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers: packed }), platform };
}

function annotationsOf({ version, commit, time }: Release): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.title': 'adit',
    'org.opencontainers.image.description': 'A two-tier tunnel: mutually authenticated, resumable, by policy',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': commit,
    'org.opencontainers.image.created': new Date(time * 1000).toISOString(),
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
}

function storeJson(blobs: Blobs, mediaType: string, value: unknown): Descriptor {
  return store(blobs, mediaType, Buffer.from(JSON.stringify(value)));
}

function store(blobs: Blobs, mediaType: string, bytes: Buffer): Descriptor {
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
