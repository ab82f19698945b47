/** What `issue` and `sign` print at the end. */
import type { Issued } from '@adit/pki';

/** Prints one line about the certificate, one for each file, and how to get back what a revocation took. */
export function reportIssued({
  subject,
  serial,
  notAfter,
  files,
  groupsBack,
}: Pick<Issued, 'subject' | 'serial' | 'notAfter' | 'files' | 'groupsBack'>): void {
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
      ...(groupsBack === undefined ? [] : [`The last certificate of this name was revoked. ${groupsBack}`]),
      '',
    ].join('\n'),
  );
}

function listed(noun: string, names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${noun}${names.length === 1 ? '' : 's'} ${names.join(', ')})`;
}
