/**
 * `adit ca sign FILE.csr`: issues a certificate for a key that was made elsewhere.
 * Rule: every name comes from this command, none from the request.
 */
import { Command, Option } from 'commander';
import { openStore, readRequest, type Ask } from '@adit/pki';
import { AditError } from '@adit/shared/errors';
import { readNamedFile } from '@adit/shared/identity/pem';
import { days, many, outOption, passphraseOption, reinstateOption, storeFolder, storeOption } from './flags.ts';
import { passphraseSource } from './passphrase.ts';
import { reportIssued } from './report.ts';

interface SignFlags {
  readonly dir?: string;
  readonly out: string;
  readonly client?: string;
  readonly egress?: string;
  readonly group?: readonly string[];
  readonly host?: readonly string[];
  readonly days?: number;
  readonly renew?: true;
  readonly reinstate?: true;
  readonly passphraseFile?: string;
}

/** The command. Fails with REQUEST_INVALID, and as `adit ca issue` does. */
export function signCommand(): Command {
  return new Command('sign')
    .description('issue a certificate for the key of a request: NAME.crt and ca.crt')
    .argument('<file>', 'the request (PEM or DER); what it asks for is ignored')
    .addOption(new Option('--client <name>', 'for a client of this name').conflicts(['egress', 'host']))
    .addOption(new Option('--egress <name>', 'for an egress of this name').conflicts(['client', 'group']))
    .option('--group <group>', 'a group of the client (repeatable)', many)
    .option('--host <host>', 'a DNS name or IP address of the egress (repeatable)', many)
    .addOption(storeOption())
    .addOption(outOption())
    .option('--days <n>', 'how long it is valid (default: 90)', days)
    .option(
      '--renew',
      'a new certificate for a name that has one; replaces NAME.crt, keeps groups and hosts unless given',
    )
    .addOption(reinstateOption())
    .addOption(passphraseOption())
    .action(sign);
}

async function sign(file: string, flags: SignFlags): Promise<void> {
  const ask = askOf(flags);
  const request = readRequest(readNamedFile(file, 'the request', 'FILE_UNREADABLE'), file);
  const store = openStore(storeFolder(flags), { passphrase: passphraseSource(flags) });
  reportIssued(
    await store.issue(ask, {
      days: flags.days,
      renew: flags.renew,
      reinstate: flags.reinstate,
      out: flags.out,
      request,
    }),
  );
}

function askOf({ client, egress, group, host }: SignFlags): Ask {
  if (client !== undefined) return { kind: 'client', name: client, groups: group };
  if (egress !== undefined) return { kind: 'egress', name: egress, hosts: host };
  throw new AditError('USAGE', 'Say whom the certificate is for: --client NAME or --egress NAME.');
}
