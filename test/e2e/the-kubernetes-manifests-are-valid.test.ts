/** packaging/kubernetes: by the published schemas, and by the egress itself. */
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { adit } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { kubernetesFaults } from '../support/kubernetes-schemas.ts';

const folder = join(import.meta.dirname, '../../packaging/kubernetes');
const { version } = JSON.parse(readFileSync(join(folder, '../../package.json'), 'utf8'));
const manifest = (name: string) => parse(readFileSync(join(folder, name), 'utf8'));

test.each(readdirSync(folder))('%s is what Kubernetes takes', (name) => {
  expect(kubernetesFaults(manifest(name))).toEqual([]);
});

test('a wrong key, a wrong type and a missing key are found', () => {
  const service = manifest('service.yaml');
  expect(kubernetesFaults({ ...service, spec: { ...service.spec, selectors: {} } })).toEqual([
    'Service.spec: unknown key selectors',
  ]);
  expect(kubernetesFaults({ ...service, spec: { ports: [{ port: '443' }] } })).toEqual([
    'Service.spec.ports[0].port: string',
  ]);
  expect(kubernetesFaults({ ...manifest('deployment.yaml'), spec: { selector: {} } })).toEqual([
    'Deployment.spec: no template',
  ]);
});

test('the egress takes the arguments, the configuration and the policy that it gets there', async () => {
  const files = certificates();
  const [container] = manifest('deployment.yaml').spec.template.spec.containers;
  const { data } = manifest('configmap.yaml');
  for (const [name, text] of Object.entries<string>(data))
    writeFileSync(join(files.folder, name), text.replaceAll('/etc/adit-tls/', `${files.folder}/`));
  expect(Object.keys(manifest('secret.example.yaml').stringData)).toEqual([
    'edge.crt',
    'edge.key',
    'ca.crt',
    'crl.pem',
  ]);
  copyFileSync(files.revoke({}), join(files.folder, 'crl.pem'));

  const args = container.args.map((arg: string) => arg.replace('/etc/adit/', `${files.folder}/`));
  expect(await adit([...args, '--check'])).toMatchObject({ code: 0 });
});

test('volumes and selectors name what is there', () => {
  const { spec } = manifest('deployment.yaml');
  const { volumes, containers } = spec.template.spec;
  const name = manifest('configmap.yaml').metadata.name;
  expect(volumes).toMatchObject([
    { name: 'config', configMap: { name } },
    { name: 'tls', secret: { secretName: manifest('secret.example.yaml').metadata.name } },
  ]);
  expect(containers[0].volumeMounts.map(({ name: each }: { name: string }) => each)).toEqual(['config', 'tls']);
  const { labels } = spec.template.metadata;
  expect(spec.selector.matchLabels).toEqual(labels);
  expect(manifest('service.yaml').spec.selector).toEqual(labels);
  expect(manifest('poddisruptionbudget.yaml').spec.selector.matchLabels).toEqual(labels);
  expect(containers[0].image).toBe(`registry.example.org/adit:${version}`);
});
