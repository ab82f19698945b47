/** `adit ca crl`: writes a fresh revocation list. */
import { Command } from 'commander';
import { openStore } from '@adit/pki';
import { days, passphraseOption, storeFolder, storeOption } from './flags.ts';
import { passphraseSource } from './passphrase.ts';

interface CrlFlags {
  readonly dir?: string;
  readonly out?: string;
  readonly days?: number;
  readonly passphraseFile?: string;
}

/** The command. Fails with CA_MISSING, CA_BUSY, CA_PASSPHRASE, FILE_EXISTS, FILE_UNREADABLE, USAGE. */
export function crlCommand(): Command {
  return new Command('crl')
    .description('write a fresh revocation list, and print where it is')
    .addOption(storeOption())
    .option('--out <file>', 'write it here too')
    .option(
      '--days <n>',
      'how long it and the next ones are good for; past that, peers refuse everybody (default: as before, 30 at first)',
      days,
    )
    .addOption(passphraseOption())
    .action(crl);
}

async function crl(flags: CrlFlags): Promise<void> {
  const store = openStore(storeFolder(flags), { passphrase: passphraseSource(flags) });
  await store.crlPem({ days: flags.days, copy: flags.out });
  process.stdout.write(`${flags.out ?? store.revocationListFile}\n`);
}
