import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit, openTunnel, policyOf } from '../support/adit.ts';
import { policyOfWeb } from '../support/backends.ts';
import { certificates } from '../support/certificates.ts';
import { adapted, blocksOf, documented, runs } from '../support/documented.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { inHttp, startNginx, startNginxWith } from '../support/nginx.ts';
import { folderOfPolicyFiles } from '../support/policy-files.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { closedPort } from '../support/services.ts';

const policies = blocksOf('services.md').filter(({ language }) => language === 'yaml');
const first = documented('services.md', 'A first example', 'yaml');

test.each(policies.map(({ heading, text }) => [heading, text] as const))(
  'the policy under "%s" is valid',
  async (_, text) => {
    const file = join(folderOfPolicyFiles(), 'policy.yaml');
    writeFileSync(file, text);
    expect(await adit(['policy', 'check', file])).toMatchObject({ code: 0, stderr: '' });
  },
);

test('explain says what the page says', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'policy.yaml'), first);
  const shown = blocksOf('services.md').find(
    ({ language, text }) => language === 'console' && text.includes('policy explain'),
  )!.text;
  const [command, ...answer] = shown.split('\n');

  expect((await adit(command!.replace('$ adit ', '').split(' '), { cwd: folder })).stdout).toBe(answer.join('\n'));
});

scenario('the first example, with curl', ['curl', 'nginx'], async () => {
  const [one, two] = [await startNginx(), await startNginx()];
  const tunnel = await openTunnel({
    to: { web: 'web' },
    policy: adapted(first, { '10.0.0.5:80': one.http, '10.0.0.6:80': two.http }),
  });
  const curl = documented('services.md', 'A first example', 'sh').trim();

  for (let n = 0; n < 2; n++)
    expect(await runs(curl, { '127.0.0.1:8080': `127.0.0.1:${tunnel.port('web')}` })).toContain('hello from nginx');
  for (const { http } of [one, two]) await tunnel.egress.process.event('stream', { resolved: http });
});

scenario('nginx and HAProxy with the configurations of the page', ['curl', 'nginx', 'haproxy'], async () => {
  const [nginx, haproxy] = [await closedPort(), await closedPort()];
  await startNginxWith(
    inHttp(
      adapted(documented('services.md', 'Telling the backend who came', 'nginx'), {
        '127.0.0.1:8000': `127.0.0.1:${nginx}`,
      }),
    ),
  );
  await startHaproxy(
    adapted(documented('services.md', 'Telling the backend who came', 'haproxy'), {
      '127.0.0.1:8000': `127.0.0.1:${haproxy}`,
    }),
  );

  for (const [port, said] of [
    [nginx, /^hello, 127\.0\.0\.1\n$/],
    [haproxy, /^hello, 127\.0\.0\.1, stream [0-9a-f]+-\d+ of web\n$/],
  ] as const) {
    const tunnel = await openTunnel({
      to: { web: 'web' },
      policy: policyOfWeb({ backends: [`127.0.0.1:${port}`], 'proxy-protocol': 'v2' }),
    });
    expect(await runs('curl http://127.0.0.1:8080/', { '127.0.0.1:8080': `127.0.0.1:${tunnel.port('web')}` })).toMatch(
      said,
    );
  }
});

scenario('TLS that a client asks for, with curl', ['curl', 'nginx'], async () => {
  const { https, ca } = await startNginx();
  const [, port] = https.split(':');
  const tunnel = await openTunnel({
    to: { web: `tls://localhost:${port}` },
    policy: policyOf({ allow: [`localhost:${port}`] }),
    egress: { certificates: certificates(), flags: ['--service-ca', ca] },
  });
  const curl = documented('services.md', 'TLS that a client asks for', 'sh').trim();

  expect(await runs(curl, { '127.0.0.1:8080': `127.0.0.1:${tunnel.port('web')}` })).toContain('hello from nginx');
});
