/** Lints: the format, oxlint with types, then the layout of the repository. Ends with 1 if any finds anything. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const steps = [
  ['node_modules/oxfmt/bin/oxfmt', '--check', 'packages', 'test', 'bench', 'scripts', 'jest.config.mjs'],
  ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', ...process.argv.slice(2)],
  ['scripts/layout.mjs'],
];
const failed = steps.filter(
  ([program, ...args]) => spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' }).status !== 0,
);
process.exitCode = failed.length > 0 ? 1 : 0;
