/**
 * `npm run demo`: all of Adit in half a minute, with real processes on this machine. Every line that it shows is
 * checked.
 * Rule: exits with 0 only if every check passed. Leaves no process and no file behind, even if it fails, is interrupted
 * or loses its terminal. The acts are in demo/acts.ts, in order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { play } from './demo/acts.ts';
import { collapsed, killAll, stopAll } from './demo/child.ts';
import { stage } from './demo/stage.ts';

const parentCheckMs = 500;

class Interrupted extends Error {
  readonly status: number;
  constructor(what: string, status: number) {
    super(what);
    this.status = status;
  }
}

/** Rejects on a signal that ends the demo. A second signal ends it at once. */
function interruption(): Promise<never> {
  const parent = process.ppid;
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      let asked = false;
      process.on(signal, () => {
        const status = 128 + constants.signals[signal];
        if (asked) process.exit(status);
        asked = true;
        reject(new Interrupted(`ended by ${signal}`, status));
      });
    }
    process.stdout.on('error', () => reject(new Interrupted('nobody reads this any more', 1)));
    // npm may end without a signal to us, and nothing may run on without it.
    setInterval(() => {
      if (process.ppid !== parent) reject(new Interrupted('the process that started it is gone', 1));
    }, parentCheckMs).unref();
  });
}

const folder = mkdtempSync(join(tmpdir(), 'adit-demo-'));
process.on('exit', () => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});

const startedAtMs = performance.now();
try {
  await Promise.race([play(folder), collapsed, interruption()]);
  await stopAll();
  stage.finale(
    `All of it held, in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s. Nothing is left running.`,
    true,
  );
  process.exit(0);
} catch (error) {
  await stopAll();
  if (error instanceof Interrupted) {
    stage.finale(`The demo was stopped: ${error.message}.`, false);
    process.exit(error.status);
  }
  const [first, ...rest] = (error instanceof Error ? error.message : String(error)).split('\n');
  stage.failed(first!, rest.join('\n'));
  stage.finale('It did not hold.', false);
  process.exit(1);
}
