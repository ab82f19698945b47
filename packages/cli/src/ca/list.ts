/** `adit ca list`: every certificate that the CA issued. */
import { Command } from 'commander';
import { openStore, type Listed } from '@adit/pki';
import { storeFolder, storeOption } from './flags.ts';

/** The command. Fails with CA_MISSING and CA_CORRUPT. */
export function listCommand(): Command {
  return new Command('list')
    .description('list the certificates that were issued: name, kind, serial, expiry, state')
    .addOption(storeOption())
    .option('--json', 'as a JSON list')
    .action((flags: { readonly dir?: string; readonly json?: true }) => {
      const listed = openStore(storeFolder(flags)).list();
      process.stdout.write(
        flags.json === true ? `${JSON.stringify(listed.map(plain), undefined, 2)}\n` : table(listed),
      );
    });
}

/** The fields of the JSON form. */
function plain({
  name,
  kind,
  serial,
  notBefore,
  notAfter,
  state,
  groups,
  hosts,
  revoked,
}: Listed): Readonly<Record<string, unknown>> {
  return {
    name,
    kind,
    serial,
    notBefore,
    expiry: notAfter,
    state,
    ...(groups && { groups }),
    ...(hosts && { hosts }),
    ...(revoked && { revoked }),
  };
}

function table(listed: readonly Listed[]): string {
  const rows = listed.map(({ name, kind, serial, notAfter, state, groups, hosts, revoked }) => [
    name,
    kind,
    serial,
    notAfter.toISOString().slice(0, 16).replace('T', ' '),
    revoked === undefined ? state : `${state} (${revoked.reason})`,
    (groups ?? hosts ?? []).join(', '),
  ]);
  const all = [['NAME', 'KIND', 'SERIAL', 'EXPIRES (UTC)', 'STATE', 'GROUPS OR HOSTS'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
