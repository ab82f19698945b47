/**
 * Paths of files. A relative path in a configuration file starts at the folder of that file; elsewhere, at the working
 * directory.
 * Not here: whether the file exists and can be read; its reader checks that, with a code of its own.
 */
import { join, isAbsolute } from 'node:path';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export function parsePath(text: string, from?: string): Parsed<string> {
  if (text === '') return unparsed('empty: name a file');
  if (text.includes('\0')) return unparsed('a path cannot hold a NUL character');
  return parsed(from === undefined || isAbsolute(text) ? text : join(from, text));
}
