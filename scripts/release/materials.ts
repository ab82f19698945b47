/**
 * The bill of materials: what is in the artifacts, from where, with which hash and licence.
 * Rule: it depends on the tree and on the packages of Debian alone; its number is a hash of what it lists.
 * Spec: CycloneDX 1.6, JSON; package URLs (purl).
 */
import { createHash } from 'node:crypto';
import type { Release } from './context.ts';
import type { DebianPackage } from './debian-packages.ts';
import type { Library } from './libraries.ts';
import type { PinnedNode } from './pinned-node.ts';

export interface Materials {
  readonly libraries: readonly Library[];
  readonly nodes: readonly (PinnedNode & { readonly machine: string })[];
  readonly packages: readonly DebianPackage[];
}

/** The document, as text. */
export function billOf(release: Release, { libraries, nodes, packages }: Materials): string {
  const components = [...libraries.map(libraryOf), ...nodes.map(nodeOf), ...unique(packages.map(packageOf))];
  const root = `pkg:npm/adit-tunnel@${release.version}`;
  const document = {
    metadata: {
      timestamp: new Date(release.time * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': root,
        name: 'adit-tunnel',
        version: release.version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
        purl: root,
        properties: [{ name: 'adit:commit', value: release.commit }],
      },
    },
    components,
    dependencies: [
      { ref: root, dependsOn: components.map((component) => component['bom-ref']) },
      ...components.map((component) => ({ ref: component['bom-ref'] })),
    ],
  };
  const digest = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: uuidOf(digest), version: 1, ...document };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

interface Component {
  readonly type: string;
  readonly 'bom-ref': string;
  readonly [field: string]: unknown;
}

function libraryOf({ name, version, licence, integrity }: Library): Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    hashes: [sriHash(integrity)],
    licenses: [{ expression: licence }],
    purl,
  };
}

/** Node, and what is built into it: this build runs on the same version. */
function nodeOf({ version, machine, integrity }: Materials['nodes'][number]): Component {
  const purl = `pkg:npm/node-linux-${machine}@${version}`;
  const { node: _, modules: _modules, napi: _napi, ...inside } = process.versions;
  return {
    type: 'platform',
    'bom-ref': purl,
    name: `node-linux-${machine}`,
    version,
    description: 'Node.js, inside the executables, the Debian packages and the image',
    hashes: [sriHash(integrity)],
    licenses: [{ license: { id: 'MIT' } }],
    purl,
    components: Object.entries(inside)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, of]) => ({ type: 'library', 'bom-ref': `${purl}#${name}`, name, version: of })),
  };
}

function packageOf({ name, version, machine, source, sha256 }: DebianPackage): Component {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${machine}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    description: 'inside the image',
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    purl,
    properties: [{ name: 'debian:source', value: source }],
  };
}

function unique(components: readonly Component[]): Component[] {
  return [...new Map(components.map((component) => [component['bom-ref'], component])).values()];
}

function sriHash(integrity: string): { readonly alg: string; readonly content: string } {
  const [, text = ''] = integrity.split('-');
  return { alg: 'SHA-512', content: Buffer.from(text, 'base64').toString('hex') };
}

/** A UUID of version 8, of our own making. */
function uuidOf(digest: string): string {
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return `urn:uuid:${[...parts, digest.slice(20, 32)].join('-')}`;
}
