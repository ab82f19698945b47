/** `adit ca init`: makes a CA in its folder. */
import { join } from 'node:path';
import { Command } from 'commander';
import { checkConstraints, checkTrustDomain, defaultTrustDomain, initAuthority } from '@adit/pki';
import { days, many, storeFolder, storeOption } from './flags.ts';
import { newPassphrase } from './passphrase.ts';

interface InitFlags {
  readonly dir?: string;
  readonly trustDomain: string;
  readonly days: number;
  readonly permitDns: readonly string[];
  readonly permitUri: readonly string[];
  readonly passphrase?: true;
  readonly passphraseFile?: string;
}

/** The command. Fails with CA_EXISTS, CA_BUSY, CA_PASSPHRASE, NAME_INVALID, USAGE. */
export function initCommand(): Command {
  return new Command('init')
    .description('make a certificate authority; an existing one is never overwritten')
    .addOption(storeOption())
    .option('--trust-domain <domain>', 'the domain of every identity: spiffe://DOMAIN/client/NAME', defaultTrustDomain)
    .option('--days <n>', 'how long the CA is valid', days, 3650)
    .option('--permit-dns <domain>', 'sign hosts of this domain only (repeatable)', many, [])
    .option('--permit-uri <domain>', 'sign identities of this trust domain only (repeatable)', many, [])
    .option('--passphrase', 'ask for a passphrase and encrypt the key of the CA with it')
    .option(
      '--passphrase-file <file>',
      'encrypt the key of the CA with the passphrase in this file (or in ADIT_CA_PASSPHRASE)',
    )
    .action(init);
}

async function init(flags: InitFlags): Promise<void> {
  const folder = storeFolder(flags);
  const trustDomain = checkTrustDomain(flags.trustDomain);
  const constraints = checkConstraints(flags.permitDns, flags.permitUri, trustDomain);
  const passphrase = await newPassphrase(flags);
  const { certificate } = await initAuthority(folder, {
    trustDomain,
    days: flags.days,
    constraints,
    ...(passphrase !== undefined && { passphrase }),
  });
  process.stdout.write(
    [
      `Made a CA for the trust domain ${trustDomain}, valid until ${certificate.validToDate.toISOString()}.`,
      `  certificate  ${join(folder, 'ca.crt')}`,
      `  key          ${join(folder, 'ca.key')} ` +
        `(${passphrase === undefined ? 'not encrypted: whoever reads it can issue identities' : 'encrypted'})`,
      '',
    ].join('\n'),
  );
}
