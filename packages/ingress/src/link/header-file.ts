/**
 * The headers of --header-file: a line `Name: value` for each.
 * Rule: a file that others may read is refused, as a key is. Complaints name the line, never its content.
 */
import { type HeaderField, parseHeader } from '@adit/shared/config/values/header';
import { AditError } from '@adit/shared/errors';
import { readSecretFile } from '@adit/shared/identity/credentials';

/** Reads the file. Empty lines and lines that begin with # are ignored. Throws CONFIG_INVALID. */
export function readHeaderFile(path: string): readonly HeaderField[] {
  const lines = readSecretFile(path, 'file of headers', 'CONFIG_INVALID').toString('utf8').split(/\r?\n/);
  const unusable = (reason: string): AditError =>
    new AditError('CONFIG_INVALID', `The file of headers ${path} is unusable: ${reason}.`);
  const headers = lines.flatMap((line, at) => {
    if (line === '' || line.startsWith('#')) return [];
    const header = parseHeader(line);
    if (!header.ok) throw unusable(`line ${at + 1}: ${header.reason}`);
    return [header.value];
  });
  if (headers.length === 0) throw unusable('it names no header');
  return headers;
}
