/**
 * `adit version`: what to write into a report of a problem.
 */
import { Command } from 'commander';
import { commitOf } from '@adit/shared/process/build';

export interface Version {
  readonly version: string;
  /** Of a released build. */
  readonly commit?: string;
  readonly node: string;
  readonly platform: string;
  readonly openssl: string;
}

/** The command. */
export function versionCommand(version: string): Command {
  return new Command('version')
    .summary('print the version, and what it runs on')
    .description('Prints the version of adit, the commit it was built from where that is known, Node and the platform.')
    .option('--json', 'as JSON')
    .action(({ json }: { readonly json?: true }) => {
      process.stdout.write(json ? `${JSON.stringify(versionOf(version))}\n` : versionText(versionOf(version)));
    });
}

/** The facts of this process. */
export function versionOf(version: string, commit: string | undefined = commitOf()): Version {
  const { node, openssl } = process.versions;
  return {
    version,
    ...(commit !== undefined && { commit }),
    node,
    platform: `${process.platform}-${process.arch}`,
    openssl: openssl ?? '',
  };
}

/** The same for people. */
export function versionText({ version, commit, node, platform, openssl }: Version): string {
  const built = commit === undefined ? '' : ` (commit ${commit})`;
  return `adit ${version}${built}\nNode ${node}, OpenSSL ${openssl}, ${platform}\n`;
}
