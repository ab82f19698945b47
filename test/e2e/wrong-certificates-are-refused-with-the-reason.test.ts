import { expect, test } from '@jest/globals';
import {
  type AditProcess,
  type Egress,
  type IngressOptions,
  adit,
  startEgress,
  startIngress,
} from '../support/adit.ts';
import { sessionArguments } from '../support/arguments.ts';
import { type Certificates, type KeyPair, certificates } from '../support/certificates.ts';
import { day, newCa, newClient, newServer, usage } from '../support/issuer.ts';
import { answerOf, tlsTo } from '../support/wire.ts';

const past = { from: new Date(Date.now() - 2 * day), to: new Date(Date.now() - day) };
const future = { from: new Date(Date.now() + day), to: new Date(Date.now() + 2 * day) };

test('the egress refuses each bad certificate with its code, whatever the client checks', async () => {
  const files = certificates();
  const stranger = newCa('Stranger CA');
  const fired = files.client('fired');
  const crl = files.revoke({ revoked: [fired.issued] });
  const { port, process: egress } = await startEgress({ certificates: files, flags: ['--crl', crl] });
  const cases: readonly (readonly [string, KeyPair | undefined])[] = [
    ['CLIENT_CERT_MISSING', undefined],
    ['CLIENT_CERT_UNKNOWN_CA', files.write('x1', newClient(stranger))],
    ['CLIENT_CERT_UNKNOWN_CA', files.write('x2', newClient(stranger, past))],
    ['CLIENT_CERT_UNKNOWN_CA', files.write('x3', newClient(newCa('Example CA')))],
    ['CLIENT_CERT_EXPIRED', files.write('x4', newClient(files.authority, past))],
    ['CLIENT_CERT_NOT_YET_VALID', files.write('x5', newClient(files.authority, future))],
    ['CLIENT_CERT_WRONG_USAGE', files.write('x6', newClient(files.authority, { uses: [usage.server] }))],
    ['CLIENT_CERT_WRONG_USAGE', files.egress],
    ['CLIENT_CERT_REVOKED', fired],
    ['CLIENT_CERT_NO_IDENTITY', files.write('x7', newClient(files.authority, { uris: [] }))],
    [
      'CLIENT_CERT_NO_IDENTITY',
      files.write(
        'x8',
        newClient(files.authority, { uris: ['spiffe://example.org/client/alice', 'spiffe://example.org/client/root'] }),
      ),
    ],
    [
      'CLIENT_CERT_NO_IDENTITY',
      files.write('x9', newClient(files.authority, { uris: ['spiffe://example.org/client/alice\0'] })),
    ],
    ['IDENTITY_NOT_IN_POLICY', files.client('mallory')],
    ['welcome', files.client('alice')],
  ];

  for (const [want, pair] of cases)
    expect([pair?.cert, await answerOf(await tlsTo(port, files, pair))]).toEqual([pair?.cert, want]);
  await egress.event('denied', {}, { nth: cases.length - 1 });
  expect(egress.all('denied').map((line) => line['code'])).toEqual(
    cases.map(([code]) => code).filter((code) => code !== 'welcome'),
  );
});

/** An ingress that does nothing but connect. */
async function ingressTo(
  egress: Egress,
  files: Certificates,
  options: Pick<IngressOptions, 'client' | 'flags'> = {},
): Promise<AditProcess> {
  const to = { it: '127.0.0.1:1' };
  return (await startIngress({ certificates: files, egressPort: egress.port, to, ...options })).process;
}

const final: readonly (readonly [string, string, (files: Certificates) => KeyPair, string])[] = [
  [
    'of an unknown CA',
    'CLIENT_CERT_UNKNOWN_CA',
    (files) => files.write('alice', newClient(newCa('Stranger CA'))),
    'issued by a CA that is not trusted',
  ],
  [
    'that is revoked',
    'CLIENT_CERT_REVOKED',
    (files) => files.write('fired', newClient(files.authority, { serial: 'dead' })),
    'revoked on',
  ],
  [
    'that names no identity',
    'CLIENT_CERT_NO_IDENTITY',
    (files) => files.write('nobody', newClient(files.authority, { uris: [] })),
    'names no identity',
  ],
  ['that the policy does not name', 'IDENTITY_NOT_IN_POLICY', (files) => files.client('mallory'), 'no rule names'],
];
test.each(final)(
  'an ingress with a certificate %s says so in one sentence with advice, and exits with 4',
  async (_, code, make, words) => {
    const files = certificates();
    const egress = await startEgress({
      certificates: files,
      flags: ['--crl', files.revoke({ revoked: [{ serial: 'dead' }] })],
    });
    const ingress = await ingressTo(egress, files, { client: make(files) });

    expect(await ingress.event('denied')).toMatchObject({
      code,
      reason: expect.stringContaining(words),
      advice: expect.stringMatching(/\w/),
    });
    await ingress.ends(4);
    expect(ingress.all('stopped')).toEqual([expect.objectContaining({ status: 4 })]);
    expect(ingress.all('connected')).toEqual([]);
  },
);

const ours: readonly (readonly [string, (files: Certificates) => KeyPair, RegExp])[] = [
  ['that has expired', (files) => files.write('alice', newClient(files.authority, past)), /expired on/],
  ['that is not valid yet', (files) => files.write('alice', newClient(files.authority, future)), /not valid before/],
  ['for servers', (files) => files.egress, /is not for clients/],
  ['with the key of another', (files) => ({ ...files.client('alice'), key: files.egress.key }), /does not belong to/],
  [
    'that is not there',
    (files) => ({ ...files.client('alice'), cert: '/nonexistent/alice.crt' }),
    /there is no such file/,
  ],
];
test.each(ours)('an ingress with a certificate %s does not start, and exits with 3', async (_, make, words) => {
  const files = certificates();
  const client = make(files);
  const { code, stderr } = await adit(['ingress', ...sessionArguments(files, client), '-L', '127.0.0.1:0:x:1']);
  expect([code, stderr]).toEqual([3, expect.stringMatching(words)]);
  if (stderr.includes('expired on')) expect(stderr).toContain('Renew it: adit ca issue client alice --renew.');
});

const wrongEgress: readonly (readonly [string, (files: Certificates) => KeyPair, string, RegExp])[] = [
  [
    'of an unknown CA',
    (files) => files.write('edge', newServer(newCa('Stranger CA'))),
    'issued by CN=Stranger CA: that is not our CA',
    /--ca\b/,
  ],
  [
    'of another host',
    (files) => files.write('edge', newServer(files.authority, { dns: ['other.example'] })),
    'other.example',
    /a name that its certificate covers, .*--server-name/,
  ],
];
test.each(wrongEgress)(
  'an ingress does not talk to an egress with a certificate %s; it says why and tries again',
  async (_, make, words, advice) => {
    const files = certificates();

    make(files);
    const egress = await startEgress({ certificates: files });
    const ingress = await ingressTo(egress, files, { flags: ['--log-level', 'debug'] });
    expect(await ingress.event('retrying')).toMatchObject({
      code: 'EGRESS_CERT_INVALID',
      reason: expect.stringContaining(words),
      advice: expect.stringMatching(advice),
    });
    // Nobody wrote the URL of the WebSocket that was tried, too.
    expect(ingress.all('retrying').map(({ reason }) => reason)).not.toContainEqual(expect.stringContaining('wss://'));
    const args = sessionArguments(files, files.client('alice'), egress.port);
    const { stderr } = await adit(['connect', ...args, '--connect-timeout', '1s', '127.0.0.1:1']);
    expect(stderr).toMatch(advice);
    expect(stderr).not.toMatch(/wss:|that the egress runs/);
    await ingress.event('retrying', {}, { nth: 3 });
    expect(ingress.all('connected')).toEqual([]);
  },
);

test('an ingress does not talk to a revoked egress', async () => {
  const files = certificates();
  const egress = await startEgress({ certificates: files });
  const crl = files.revoke({ revoked: [files.egress.issued] });
  const ingress = await ingressTo(egress, files, { flags: ['--crl', crl] });

  expect(await ingress.event('retrying')).toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    reason: expect.stringContaining('revoked'),
  });
});
