/**
 * Varnish, which answers with what its VMOD `proxy` reads from a PROXY header of version 2. No other program here reads
 * all of it.
 * Rule: it listens when this returns.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { accepting, closedPort } from './services.ts';

/** `says`: VCL expressions of type STRING, joined by blanks in the answer. */
export async function startVarnish(says: readonly string[]): Promise<number> {
  const folder = temporaryFolder();
  const port = await closedPort();
  mkdirSync(join(folder, 'work'));
  writeFileSync(
    join(folder, 'default.vcl'),
    'vcl 4.1;\nimport proxy;\nbackend none none;\nsub vcl_recv { return (synth(200)); }\nsub vcl_synth { set ' +
      `resp.http.Content-Type = "text/plain"; synthetic(${says.join(' + " " + ')}); return (deliver); }\n`,
  );
  const varnish = new Child(
    find('varnishd')!,
    [
      '-F',
      '-n',
      join(folder, 'work'),
      '-j',
      'none',
      '-a',
      `127.0.0.1:${port},PROXY`,
      '-f',
      join(folder, 'default.vcl'),
      '-s',
      'malloc,16m',
      '-p',
      'thread_pools=1',
      '-p',
      'thread_pool_min=5',
    ],
    { name: 'varnishd' },
  );
  await varnish.line(/Child launched OK|Child starts/);
  await accepting(port);
  return port;
}
