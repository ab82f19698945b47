/**
 * Backends of a service: programs of their own that can be killed, and a policy that names them.
 * Rule: each answers its name when a client ends its sending side, so that a test can count who was reached.
 */
import { Child } from './child.ts';
import { closedPort } from './services.ts';

export interface Backend {
  readonly at: string;
  /** Ends it as a crash does; its port is free then. */
  kill(): Promise<unknown>;
  /** Starts it again on the same port. */
  again(): Promise<Backend>;
}

/** Reads to the end, then says its name and how many bytes it read, and ends. */
const program = `
  const [port, name] = process.argv.slice(1);
  require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket
      .on('error', () => {})
      .on('data', (chunk) => { bytes += chunk.length; })
      .on('end', () => { socket.end(name + ' ' + bytes); });
  }).listen({ port: Number(port), host: '127.0.0.1', backlog: 1024 }, () => console.log('listening'));
`;

/** Starts one for each name. */
export function startBackends(...names: readonly string[]): Promise<Backend[]> {
  return Promise.all(names.map(async (name) => startBackend(name, await closedPort())));
}

/** Starts one, on a port that is free. */
export async function startBackend(name: string, port: number): Promise<Backend> {
  const child = new Child(process.execPath, ['-e', program, String(port), name], { name: `backend ${name}` });
  await child.line(/listening/);
  return { at: `127.0.0.1:${port}`, kill: () => child.kill(), again: () => startBackend(name, port) };
}

/** Lets alice, or those that are named, reach the service `web`. */
export function policyOfWeb(web: unknown, identities: readonly string[] = ['alice']): string {
  return JSON.stringify({ version: 1, services: { web }, rules: [{ name: 'web', identities, allow: ['web'] }] });
}

/** How often each answer was given. */
export function tally(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}
