import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { adit, openPolicy } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { adapted, blocksOf, documented } from '../support/documented.ts';
import { checkHaproxy } from '../support/haproxy.ts';
import { checkNginx, inHttp } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';

const blocks = (language: string): { readonly heading: string; readonly text: string }[] =>
  blocksOf('networks.md').filter((block) => block.language === language);
const { folder, egress, client } = certificates();
client('alice');
writeFileSync(join(folder, 'policy.yaml'), openPolicy);

test('the page has a configuration for each program', () => {
  expect([blocks('nginx').length, blocks('haproxy').length, blocks('caddy').length, blocks('yaml').length]).toEqual([
    3, 3, 1, 3,
  ]);
});

for (const { heading, text } of blocks('nginx')) {
  scenario(`nginx takes the configuration of "${heading}"`, ['nginx'], async () => {
    const blocksOfNginx = text.startsWith('stream {')
      ? text
      : inHttp(adapted(text, { '/etc/nginx/tls/tunnel.crt': egress.cert, '/etc/nginx/tls/tunnel.key': egress.key }));

    expect(await checkNginx(blocksOfNginx)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('test is successful'),
    });
    expect((await checkNginx(blocksOfNginx)).stderr).not.toMatch(/\[warn\]/);
  });
}

for (const { heading, text } of blocks('haproxy')) {
  scenario(`HAProxy takes the configuration of "${heading}" without a warning`, ['haproxy'], async () => {
    const pem = join(folder, 'tunnel.pem');
    writeFileSync(pem, egress.issued.certPem + egress.issued.keyPem);
    const checked = await checkHaproxy(text.replaceAll('/etc/haproxy/tls/tunnel.pem', pem));
    expect([checked.code, checked.stdout + checked.stderr]).toEqual([0, expect.not.stringMatching(/WARNING|ALERT/)]);
  });
}

const commands = new Set(
  blocks('sh')
    .filter(({ heading }) => heading !== 'Through a proxy')
    .flatMap(({ text }) => text.trim().split('\n')),
);

test.each([...commands])('%s', async (line) => {
  const [program, ...args] = line.split(/ (?=(?:[^']*'[^']*')*[^']*$)/).map((word) => word.replaceAll("'", ''));
  expect(program).toBe('adit');
  expect(await adit([...args, '--check'], { cwd: folder })).toMatchObject({ code: 0 });
});

test.each(blocks('yaml').map(({ heading, text }) => [heading, text]))(
  'the manifests of "%s" are YAML with an apiVersion and a kind',
  (_heading, text) => {
    for (const manifest of parseAllDocuments(text)) {
      expect('errors' in manifest && manifest.errors).toEqual([]);
      expect(manifest).toMatchObject({ contents: expect.anything() });
      expect((manifest as { toJS(): unknown }).toJS()).toMatchObject({
        apiVersion: expect.any(String),
        kind: expect.any(String),
        metadata: { name: expect.any(String) },
      });
    }
  },
);

test('the container of the Kubernetes manifest starts with arguments that hold', async () => {
  const {
    spec: {
      template: {
        spec: {
          containers: [container],
        },
      },
    },
  } = parse(documented('networks.md', 'Kubernetes', 'yaml')) as {
    readonly spec: {
      readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
    };
  };
  const args = container!.args.map((argument) => argument.replace(/=\/(tls|policy)\//, `=${folder}/`));

  expect(await adit([...args, '--check'])).toMatchObject({ code: 0 });
});
