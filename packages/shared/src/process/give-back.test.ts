import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const source = new URL('give-back.ts', import.meta.url).href;

/**
 * Runs a burst of a second in a process of its own: objects that live until its end, then objects that die young. Waits
 * until its heap has half the size of the peak. V8 looks every 100 ms instead of every 8 s, from the start on.
 */
async function afterBurst(quietlyDone: string): Promise<string> {
  const program = `
    import { giveMemoryBack } from ${JSON.stringify(source)};
    import { getHeapStatistics } from 'node:v8';
    const size = () => getHeapStatistics().total_physical_size;
    let [quiet, peak, kept] = [0, 0, []];
    const stop = giveMemoryBack({ lookEveryMs: 50, quiet: () => quiet++ });
    const sinceMs = performance.now();
    (function burst() {
      const elapsedMs = performance.now() - sinceMs;
      const objects = Array.from({ length: 20_000 }, (_, at) => ({ at }));
      if (elapsedMs < 300) kept.push(objects);
      peak = Math.max(peak, size());
      if (elapsedMs < 1_000) return void setImmediate(burst);
      kept = [];
      const duringBurst = quiet;
      const timer = setInterval(() => {
        if (size() > peak / 2) return;
        clearInterval(timer);
        ${quietlyDone}
      }, 50);
    })();`;
  const flags = ['--memory-reducer-delay-ms=100', '--gc-memory-reducer-start-delay-ms=0'];
  const args = [...flags, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stdout } = await run(process.execPath, args, { timeout: 25_000 });
  return stdout;
}

describe('memory after a burst', () => {
  it('is given back once the process is quiet', async () => {
    expect(await afterBurst('console.log("shrunk");')).toBe('shrunk\n');
  }, 30_000);

  it('calls for what else can be given back, and not during the burst', async () => {
    expect(await afterBurst('console.log(duringBurst, quiet > 0);')).toBe('0 true\n');
  }, 30_000);

  it('neither keeps the process alive nor goes on after it was stopped', async () => {
    const stopped = afterBurst('stop(); const was = quiet; setTimeout(() => console.log(quiet - was), 200);');
    expect(await stopped).toBe('0\n');
  }, 30_000);
});
