/**
 * Dante, a SOCKS5 server, for loopback and without a password: it knows only the passwords of the users of this
 * machine.
 * Rule: it accepts when this returns, and logs each request with what was asked for.
 */
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { accepting, closedPort } from './services.ts';

export interface DantedOptions {
  /** The only port that it connects to. */
  readonly onlyPort?: number;
}

export async function startDanted({ onlyPort }: DantedOptions = {}): Promise<{
  readonly port: number;
  readonly process: Child;
}> {
  const port = await closedPort();
  const configuration = join(temporaryFolder(), 'danted.conf');
  const { username } = userInfo();
  writeFileSync(
    configuration,
    `
logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: lo
clientmethod: none
socksmethod: none
user.privileged: ${username}
user.unprivileged: ${username}
client pass {
  from: 127.0.0.0/8 to: 127.0.0.0/8
}
socks pass {
  from: 127.0.0.0/8 to: 0.0.0.0/0${onlyPort === undefined ? '' : ` port = ${onlyPort}`}
  command: connect
  log: connect error
}
`,
  );
  const process = new Child(find('danted')!, ['-f', configuration, '-N', '1'], { name: 'danted' });
  await process.line(/running/);
  await accepting(port);
  return { port, process };
}
