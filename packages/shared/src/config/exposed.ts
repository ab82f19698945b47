/**
 * Credentials that others can read: on the command line, which every user of the machine sees, and in a configuration
 * file whose mode is too open.
 * Rule: such a value stops the start, also if a stronger source overrides it, and is never quoted.
 * Not here: which text holds a credential (its row of the table says that).
 */
import type { Complaint } from './complaint.ts';
import { fieldOf } from './flags.ts';
import { variableOf, type Settings } from './setting.ts';
import type { SettingsFile } from './settings-file.ts';

/** One complaint for each setting on the command line, and for each value in the file. */
export function exposedCredentials(
  settings: Settings,
  {
    flags,
    file,
  }: {
    readonly flags: Readonly<Record<string, readonly string[] | undefined>>;
    readonly file: SettingsFile | undefined;
  },
): Complaint[] {
  return Object.values(settings).flatMap(({ name, secret = false, hasCredential = () => secret }) => [
    ...((flags[fieldOf(name)] ?? []).some(hasCredential) ? [onCommandLine(name)] : []),
    ...(file?.openMode === undefined
      ? []
      : file.entries
          .filter(({ key, texts }) => key === name && texts.some(({ text }) => hasCredential(text)))
          .map(({ at, offset }): Complaint => ({
            code: 'CONFIG_INVALID',
            offset,
            text:
              `${at}: ${name} holds a credential, and the file has mode ${file.openMode}, so others may read it: run ` +
              `"chmod 600 ${file.name}"`,
          }))),
  ]);
}

function onCommandLine(name: string): Complaint {
  return {
    code: 'USAGE',
    text:
      `--${name}: every user of this machine can read a credential on the command line; put it into a file of mode ` +
      `0600 and name that with --${name}-file, or use ${variableOf(name)} or the configuration file`,
  };
}
