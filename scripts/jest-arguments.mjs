/**
 * The arguments of jest for the words after `npm test --`.
 * Rule: leading names of projects (unit, contract, e2e, release) select projects. Without one, all but `release` run,
 * which takes minutes to build. Everything after them goes to jest unchanged: paths, patterns, flags.
 */

/** The projects of jest.config.mjs. */
export const projects = ['unit', 'contract', 'e2e', 'release'];

/** Flags of jest for these arguments; `reporters` are names or paths. */
export function jestArguments(args, reporters) {
  const end = args.findIndex((word) => !projects.includes(word));
  const selected = end < 0 ? args : args.slice(0, end);
  return [
    ...reporters.map((reporter) => `--reporters=${reporter}`),
    ...(selected.length > 0 ? ['--selectProjects', ...selected] : ['--ignoreProjects', 'release']),
    // A flag must follow: those before it take every word up to the next flag.
    '--ci',
    ...args.slice(selected.length),
  ];
}
