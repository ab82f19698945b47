/** The files that the policies of docs/ name: what `adit policy check` reads has to be there. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from './certificates.ts';

/** A new folder with the CAs, certificates and URLs of proxies that the pages of services and next hops name. */
export function folderOfPolicyFiles(): string {
  const files = certificates();
  for (const name of ['edge', 'hop']) files.client(name);
  for (const name of ['web-ca.crt', 'ca2.crt']) copyFileSync(files.ca, join(files.folder, name));
  writeFileSync(join(files.folder, 'proxy.url'), 'http://alice:secret@proxy.example:3128\n', { mode: 0o600 });
  return files.folder;
}
