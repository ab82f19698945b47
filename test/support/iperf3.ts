/**
 * An iperf3 server.
 */
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { closedPort } from './services.ts';

/** `ready` waits until it takes the next client: it serves one at a time, and refuses all others meanwhile. */
export interface Iperf3 {
  /** `127.0.0.1:PORT` */
  readonly at: string;
  ready(): Promise<void>;
}

export async function startIperf3(): Promise<Iperf3> {
  const port = await closedPort();
  const server = new Child(find('iperf3')!, ['-s', '-B', '127.0.0.1', '-p', String(port), '--forceflush'], {
    name: 'iperf3',
    stopSignal: 'SIGKILL',
  });
  let served = 0;
  const ready = async (): Promise<void> => {
    const nth = served++;
    await server.until(
      'its turn to listen again',
      () => server.lines.filter((line) => line.startsWith('Server listening on'))[nth],
    );
  };
  return { at: `127.0.0.1:${port}`, ready };
}
