/**
 * A fresh Redis that keeps nothing.
 */
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

/** Returns `127.0.0.1:PORT`. */
export async function startRedis(): Promise<string> {
  const port = await closedPort();
  const redis = new Child(
    find('redis-server')!,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', temporaryFolder()],
    { name: 'redis' },
  );
  await redis.line(/Ready to accept connections/);
  return `127.0.0.1:${port}`;
}
