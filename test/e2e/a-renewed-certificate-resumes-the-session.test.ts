import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { adit } from '../support/adit.ts';
import { type Certificates, type KeyPair, certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { echo, hashing } from '../support/services.ts';
import { steady } from '../support/steady.ts';
import { answerOf, tlsTo } from '../support/wire.ts';

/** A CA, an egress and alice as users make them, with a revocation list that the egress has a copy of. */
async function setUp() {
  const made = certificates();
  const { folder } = made;
  const ca = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await adit(['ca', ...args, '--dir', 'ca'], { cwd: folder });
    expect([code, stderr]).toEqual([0, '']);
  };
  await ca('init', '--trust-domain', 'example.org');
  await ca('issue', 'egress', 'edge', '--host', '127.0.0.1', '--host', 'localhost', '--out', 'edge');
  await ca('issue', 'client', 'alice', '--out', 'alice');
  await ca('crl');
  const pair = (name: string): KeyPair => {
    const [cert, key] = [join(folder, name, `${name}.crt`), join(folder, name, `${name}.key`)];
    return {
      cert,
      key,
      issued: {
        ...made.egress.issued,
        certPem: readFileSync(cert, 'utf8'),
        keyPem: readFileSync(key, 'utf8'),
        serial: new X509Certificate(readFileSync(cert)).serialNumber,
      },
    };
  };
  const caFile = join(folder, 'ca', 'ca.crt');
  const files: Certificates = {
    ...made,
    ca: caFile,
    authority: { ...made.authority, certPem: readFileSync(caFile, 'utf8') },
    egress: pair('edge'),
  };
  const crl = join(folder, 'crl.pem');
  const copyList = (): void => {
    copyFileSync(join(folder, 'ca', 'crl.pem'), crl);
  };
  copyList();
  const [echoes, sums] = [await echo(), await hashing()];
  const { egress, network, ingress } = await openCuttableTunnel({
    to: { echo: echoes.at, sums: sums.at },
    egress: { certificates: files, flags: ['--crl', crl] },
    ingress: { client: pair('alice') },
  });
  return {
    files,
    egress,
    network,
    ingress,
    alice: () => pair('alice'),
    renew: () => ca('issue', 'client', 'alice', '--renew', '--out', 'alice'),
    /** Takes one certificate out of force, and waits until the egress has let it go. */
    revoke: async (old: KeyPair): Promise<void> => {
      await ca('revoke', old.issued.serial);
      const seen = egress.process.all('reloaded', { what: 'certificates' }).length;
      copyList();
      await egress.process.event('reloaded', { what: 'certificates' }, { nth: seen + 1 });
      expect(await answerOf(await tlsTo(egress.port, files, old))).toBe('CLIENT_CERT_REVOKED');
    },
    /** Both ends say so: by then no exchange is under way. */
    resumed: (nth: number) =>
      Promise.all([egress, ingress].map(({ process }) => process.event('connected', { resumed: true }, { nth }))),
  };
}

test(
  'a certificate that is renewed under an open stream is used at once and at every resume; the one before can be ' +
    'revoked, and no byte is lost',
  async () => {
    const { ingress, network, alice, renew, revoke, resumed, egress } = await setUp();
    const transfer = await steady(ingress.ports['sums']!);
    const open = await converse(ingress.ports['echo']!, 'with the first certificate');
    const first = alice();

    await renew();
    await ingress.process.event('reloaded', { what: 'certificates' });
    await resumed(1); // the ingress shows the new one by itself
    network.cut();
    await resumed(2);
    await revoke(first);
    await open.echoes('with the second');

    const second = alice();
    expect(second.issued.serial).not.toBe(first.issued.serial);
    network.stall('all'); // the path is gone; what dials again is not answered
    network.cut();
    await ingress.process.event('detached', {}, { nth: 2 });
    await renew();
    await ingress.process.event('reloaded', { what: 'certificates' }, { nth: 2 });
    network.cut(); // an attempt with the second certificate that hangs in the silence
    network.flow();
    await resumed(3);
    await revoke(second);
    await open.echoes('with the third');
    await transfer.more(8 * 2 ** 20);
    await transfer.finish();
    expect(ingress.process.all('connected').map((one) => one['resumed'])).toEqual([false, true, true, true]);
    expect(
      new Set(
        [...ingress.process.all('connected'), ...egress.process.all('connected', { resumed: true })].map(
          (one) => one['session'],
        ),
      ).size,
    ).toBe(1);
    expect(ingress.process.all('disconnected')).toEqual([]);
  },
  240_000,
);
