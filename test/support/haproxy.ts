/**
 * HAProxy with frontends and backends of the test's own.
 * Rule: what listens is up when this returns; two tests never share a port, which HAProxy would allow.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, run, type Finished } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';

const globals = 'global\n    noreuseport\n    maxconn 4096\n\n';

function written(configuration: string): string {
  const file = join(temporaryFolder(), 'haproxy.cfg');
  writeFileSync(file, globals + configuration);
  return file;
}

/** Sections in TCP mode, with timeouts that no scenario reaches. */
export function inTcp(sections: string): string {
  const timeouts = { connect: 10, client: 60, server: 60, check: 10 };
  const lines = Object.entries(timeouts).map(([what, seconds]) => `    timeout ${what} ${seconds}s\n`);
  return `defaults\n    mode tcp\n${lines.join('')}${sections}`;
}

export async function startHaproxy(configuration: string): Promise<Child> {
  const haproxy = new Child(find('haproxy')!, ['-W', '-db', '-f', written(configuration)], { name: 'haproxy' });
  await haproxy.line(/Loading success/);
  return haproxy;
}

/** What HAProxy says about a configuration, without running it. */
export function checkHaproxy(configuration: string): Promise<Finished> {
  return run(find('haproxy')!, ['-c', '-f', written(configuration)]);
}
