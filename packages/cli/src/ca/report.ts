/** What `issue` and `sign` print at the end. */
import type { Issued } from '@adit/pki';

/** Prints one line about the certificate and one for each file. */
export function reportIssued({
  subject,
  serial,
  notAfter,
  files,
}: Pick<Issued, 'subject' | 'serial' | 'notAfter' | 'files'>): void {
  const names =
    subject.kind === 'client'
      ? listed('group', subject.groups)
      : listed(
          'host',
          subject.hosts.map((host) => host.text),
        );
  process.stdout.write(
    [
      `Issued a certificate for the ${subject.kind} ${subject.name}${names}, serial ${serial}, valid until ` +
        `${notAfter.toISOString()}.`,
      ...files.map((file) => `  ${file}`),
      '',
    ].join('\n'),
  );
}

function listed(noun: string, names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${noun}${names.length === 1 ? '' : 's'} ${names.join(', ')})`;
}
