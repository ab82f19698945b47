/**
 * An iperf3 server.
 */
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { closedPort } from './services.ts';

/** Returns `127.0.0.1:PORT`. */
export async function startIperf3(): Promise<string> {
  const port = await closedPort();
  const server = new Child(find('iperf3')!, ['-s', '-B', '127.0.0.1', '-p', String(port), '--forceflush'], { name: 'iperf3', stopSignal: 'SIGKILL' });
  await server.line(/Server listening on/);
  return `127.0.0.1:${port}`;
}
