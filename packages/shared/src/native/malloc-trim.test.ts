import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const source = new URL('malloc-trim.ts', import.meta.url).href;
const hasGlibc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header
  .glibcVersionRuntime;

(hasGlibc === undefined ? test.skip : test)('free memory below a piece in use is given back', () => {
  const program = `
    import { trimMalloc } from ${JSON.stringify(source)};
    // 128 MB in pieces that are too small for mappings of their own
    let pieces = Array.from({ length: 2_000 }, () => Buffer.allocUnsafeSlow(65_536).fill(1));
    const [last] = pieces.splice(-1);
    pieces = undefined;
    gc();
    setTimeout(() => {
      const before = process.memoryUsage.rss();
      const trimmed = trimMalloc();
      const given = before - process.memoryUsage.rss();
      console.log(trimmed, given > 64_000_000 ? 'much' : given, last.length);
    }, 200);`;
  const args = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 })).toBe('true much 65536\n');
});
