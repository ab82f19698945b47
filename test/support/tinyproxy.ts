/**
 * tinyproxy, with a password, or without one where a program before it authenticates its clients.
 * Rule: it accepts when this returns.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

/** Of the user `alice`. */
export const tinyproxyPassword = 's3cret';

export async function startTinyproxy({ open = false }: { readonly open?: boolean } = {}): Promise<{
  readonly port: number;
  readonly process: Child;
}> {
  const port = await closedPort();
  const configuration = join(temporaryFolder(), 'tinyproxy.conf');
  writeFileSync(
    configuration,
    `Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\nLogLevel Info\n` +
      `${open ? '' : `BasicAuth alice ${tinyproxyPassword}\n`}`,
  );
  const process = new Child(find('tinyproxy')!, ['-d', '-c', configuration], { name: 'tinyproxy' });
  await process.line(/Accepting connections/);
  return { port, process };
}
