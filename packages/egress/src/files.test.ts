import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../test/support/certificates.ts';
import { memoryLog } from '../../../test/support/in-process.ts';
import { day, newServer } from '../../../test/support/issuer.ts';
import { Services } from './backend/services.ts';
import { checkEgressFiles, checkPolicyFiles, loadEgressFiles, shownCertificates, trustFiles } from './files.ts';
import { type EgressOptions, resolveEgressOptions } from './options.ts';

const files = certificates();
const client = files.client('edge1');

function policy(services: object, rule: object = {}): string {
  const file = join(files.folder, 'policy.yaml');
  const rules = [{ name: 'r', identities: ['alice'], allow: ['db.internal:1'], ...rule }];
  writeFileSync(file, JSON.stringify({ version: 1, services, rules }));
  return file;
}

/** The options for this policy, with more flags. */
function optionsOf(file: string, more: Record<string, string[]> = {}): EgressOptions {
  const { cert, key } = files.egress;
  const flags = { cert: [cert], key: [key], clientCa: [files.ca], policy: [file], ...more };
  return resolveEgressOptions({ flags, environment: {} });
}

const plain = { web: 'tcp://10.0.0.1:80' };
const tls = { ca: 'ca.crt', cert: 'edge1.crt', key: 'edge1.key' };

test('a revocation list that is out of date is refused by --check and loaded by a start', () => {
  const list = files.revoke({ thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) });
  const options = optionsOf(policy(plain), { crl: [list] });
  expect(() => checkEgressFiles(options)).toThrow(
    expect.objectContaining({
      code: 'REVOCATION_STALE',
      message: expect.stringContaining(list),
      advice: expect.stringContaining('adit ca crl'),
    }),
  );
  expect(loadEgressFiles(options).trust.revocation?.isStale(new Date())).toBe(true);
  files.revoke({});
  expect(() => checkEgressFiles(options)).not.toThrow();
});

const missing = { ...tls, ca: 'missing.crt' };
const wrongKey = { ...tls, key: 'edge.key' };
const backends = ['tls://10.0.0.1:443'];
test.each([
  {
    what: 'the CA of a service',
    services: { web: { backends, tls: missing } },
    fails: { code: 'CONFIG_INVALID', message: /^the service web: .*missing\.crt/ },
  },
  {
    what: 'the key of a service',
    services: { web: { backends, tls: wrongKey } },
    fails: { code: 'CREDENTIALS_UNUSABLE', message: /^the service web: .*edge\.key/ },
  },
  {
    what: 'the CA of a next hop',
    services: plain,
    rule: { via: { url: 'https://proxy.internal:3128', ca: 'missing.crt' } },
    fails: { code: 'CONFIG_INVALID', message: /^via https:\/\/proxy\.internal:3128: .*missing\.crt/ },
  },
  {
    what: 'the file of a next hop',
    services: plain,
    rule: { via: { file: 'missing.url' } },
    fails: { code: 'CONFIG_INVALID', message: /^via .*missing\.url/ },
  },
])(
  '$what that is not usable fails the start, --check and the check of the policy alike',
  ({ services, rule = {}, fails: { code, message } }) => {
    const file = policy(services, rule);
    const error = expect.objectContaining({
      code,
      message: expect.stringMatching(message),
      advice: expect.stringContaining('in the policy'),
    });
    for (const check of [
      () => loadEgressFiles(optionsOf(file)),
      () => checkEgressFiles(optionsOf(file)),
      () => checkPolicyFiles(file),
    ])
      expect(check).toThrow(error);
  },
);

test('a file for destinations is advised upon by its own option', () => {
  const more = { serviceCert: [client.cert], serviceKey: [files.egress.key] };
  expect(() => checkEgressFiles(optionsOf(policy(plain), more))).toThrow(
    expect.objectContaining({ code: 'CREDENTIALS_UNUSABLE', advice: expect.stringContaining('--service-key') }),
  );
});

test('the certificates that services and next hops are shown are known, to be watched', () => {
  files.write('edge', newServer(files.authority));
  const file = policy(
    { web: { backends, tls } },
    { via: { url: 'https://proxy.internal:3128', ca: 'ca.crt', cert: 'edge1.crt', key: 'edge1.key' } },
  );
  const options = optionsOf(file, { serviceCert: [client.cert], serviceKey: [client.key] });
  const { trust, policy: loaded } = loadEgressFiles(options);
  const services = new Services({
    log: memoryLog().log,
    destinationTls: () => trust.destinationTls,
    permitProbe: () => {
      throw new Error('nothing is probed');
    },
  });
  expect(services.shownCertificates).toEqual([]);
  services.prepare(loaded.current.services, files.folder, loaded.current.vias)();
  services.close();
  expect(shownCertificates(trust, services).map(({ what }) => what)).toEqual([
    'certificate of --service-cert',
    'certificate of the service web',
    'certificate of via https://proxy.internal:3128',
  ]);
  expect(trustFiles(options)).toEqual([files.egress.cert, files.egress.key, files.ca, client.cert, client.key]);
});
