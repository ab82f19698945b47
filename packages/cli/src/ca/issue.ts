/** `adit ca issue client NAME` and `adit ca issue egress NAME`: a key and its certificate. */
import { Command } from 'commander';
import { openStore, type Ask } from '@adit/pki';
import { days, many, outOption, passphraseOption, reinstateOption, storeFolder, storeOption } from './flags.ts';
import { passphraseSource, p12Password } from './passphrase.ts';
import { reportIssued } from './report.ts';

interface IssueFlags {
  readonly dir?: string;
  readonly out: string;
  readonly days?: number;
  readonly renew?: true;
  readonly reinstate?: true;
  readonly p12?: string;
  readonly p12PasswordFile?: string;
  readonly passphraseFile?: string;
}

/**
 * The command. Fails with NAME_INVALID, NAME_TAKEN, FILE_EXISTS, CA_MISSING, CA_BUSY, CA_PASSPHRASE, USAGE and more
 * (see Store.issue).
 */
export function issueCommand(): Command {
  return new Command('issue')
    .description('make a key and issue its certificate: NAME.key, NAME.crt and ca.crt')
    .addCommand(
      withFlags(new Command('client').description('for an ingress: a person or machine that connects'))
        .option('--group <group>', 'a group it belongs to (repeatable)', many)
        .action((name: string, flags: IssueFlags & { readonly group?: readonly string[] }) =>
          issue({ kind: 'client', name, groups: flags.group }, flags),
        ),
    )
    .addCommand(
      withFlags(new Command('egress').description('for an egress: the server beside the services'))
        .option('--host <host>', 'a DNS name or IP address that clients dial (repeatable, one at least)', many)
        .action((name: string, flags: IssueFlags & { readonly host?: readonly string[] }) =>
          issue({ kind: 'egress', name, hosts: flags.host }, flags),
        ),
    );
}

function withFlags(command: Command): Command {
  return command
    .argument('<name>', 'letters, digits, dot, dash and underscore')
    .addOption(storeOption())
    .addOption(outOption())
    .option('--days <n>', 'how long it is valid (default: 90)', days)
    .option(
      '--renew',
      'a new certificate for a name that has one; replaces NAME.key and NAME.crt, keeps groups and hosts unless given',
    )
    .addOption(reinstateOption())
    .option('--p12 <file>', 'also write certificate, CA and key as a PKCS#12 file')
    .option('--p12-password-file <file>', 'its password (or ADIT_P12_PASSWORD; else asked for on a terminal)')
    .addOption(passphraseOption());
}

async function issue(ask: Ask, flags: IssueFlags): Promise<void> {
  const store = openStore(storeFolder(flags), { passphrase: passphraseSource(flags) });
  const p12 =
    flags.p12 === undefined ? undefined : { file: flags.p12, password: await p12Password(flags.p12PasswordFile) };
  reportIssued(
    await store.issue(ask, { days: flags.days, renew: flags.renew, reinstate: flags.reinstate, out: flags.out, p12 }),
  );
}
