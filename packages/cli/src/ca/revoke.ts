/** `adit ca revoke NAME|SERIAL`: revokes certificates and writes the revocation list. */
import { Command } from 'commander';
import { openStore, parseReason, revocationReasons, type Entry } from '@adit/pki';
import { passphraseOption, storeFolder, storeOption } from './flags.ts';
import { passphraseSource } from './passphrase.ts';

interface RevokeFlags {
  readonly dir?: string;
  readonly reason: string;
  readonly passphraseFile?: string;
}

/** The command. Fails with NOT_FOUND, USAGE (reason), CA_MISSING, CA_BUSY, CA_PASSPHRASE. */
export function revokeCommand(): Command {
  return new Command('revoke')
    .description('revoke the certificates of a name, or one by its serial, and write the revocation list')
    .argument('<name-or-serial>', 'as "adit ca list" shows them')
    .addOption(storeOption())
    .option('--reason <reason>', Object.keys(revocationReasons).join(', '), 'unspecified')
    .addOption(passphraseOption())
    .action(revoke);
}

async function revoke(which: string, flags: RevokeFlags): Promise<void> {
  const reason = parseReason(flags.reason);
  const store = openStore(storeFolder(flags), { passphrase: passphraseSource(flags) });
  const { newly, already } = await store.revoke(which, { reason });
  const line =
    (verb: string) =>
    ({ kind, name, serial }: Entry): string =>
      `${verb} ${kind} ${name}, serial ${serial}\n`;
  process.stdout.write(
    [
      ...newly.map(line('Revoked')),
      ...already.map(line('Was revoked before:')),
      `Wrote ${store.revocationListFile}: copy it to every egress that has it as --crl.\n`,
    ].join(''),
  );
}
