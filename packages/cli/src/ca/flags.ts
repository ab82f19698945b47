/** Flags that several `adit ca` commands share. */
import { InvalidArgumentError, Option } from 'commander';

export function storeOption(): Option {
  return new Option('--dir <dir>', 'the folder of the CA (default: $ADIT_CA_DIR, else ./ca)');
}
export function outOption(): Option {
  return new Option('--out <dir>', 'where the files go').default('.');
}
export function reinstateOption(): Option {
  return new Option(
    '--reinstate',
    'like --renew, for a name whose last certificate was revoked, which stays revoked',
  ).conflicts('renew');
}
export function passphraseOption(): Option {
  return new Option(
    '--passphrase-file <file>',
    'the passphrase of the CA key (or ADIT_CA_PASSPHRASE; else asked for on a terminal)',
  );
}

/** The folder of the CA, from the flag, the environment or the default. */
export function storeFolder({ dir }: { readonly dir?: string }): string {
  return dir ?? (process.env['ADIT_CA_DIR'] || 'ca');
}

/** A repeatable flag. */
export function many(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}

/** Parses a number of days. The caller checks how many are allowed. */
export function days(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new InvalidArgumentError('Give a whole number of days, from 1 to 36500.');
  return Number(text);
}
