/**
 * Backends of a service: programs of their own that can be killed, and a policy that names them.
 * Rule: each says its name to whoever ends its sending side, so that who was reached can be counted.
 */
import { Child } from './child.ts';

export interface Backend {
  readonly at: string;
  /** As crashes end programs. */ kill(): Promise<unknown>;
  /** Gone, and its port is free. */ readonly process: Child;
}

/** Reads to the end, then says its name and how many bytes it read, and ends. */
const program = `
  const [port, name] = process.argv.slice(1);
  require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on('error', () => {}).on('data', (chunk) => { bytes += chunk.length; }).on('end', () => { socket.end(name + ' ' + bytes); });
  }).listen({ port: Number(port), host: '127.0.0.1', backlog: 1024 }, () => console.log('listening'));
`;

/** Starts one, on a port that is free. */
export async function startBackend(name: string, port: number): Promise<Backend> {
  const child = new Child(process.execPath, ['-e', program, String(port), name], { name: `backend ${name}` });
  await child.line(/listening/);
  return { at: `127.0.0.1:${port}`, process: child, kill: () => child.kill() };
}

/** Lets alice reach the service `web`, and who else is named. */
export function policyOfWeb(web: unknown, identities: readonly string[] = ['alice']): string {
  return JSON.stringify({ version: 1, services: { web }, rules: [{ name: 'web', identities, allow: ['web'] }] });
}

/** How often each answer was given. */
export function tally(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}
