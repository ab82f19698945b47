/**
 * In which order jest runs the files: scenarios first, unit tests last; within a project in jest's own order, what
 * failed and what takes long first.
 * Rule: a scenario may take a minute and a unit test takes a second, so that at the end the short ones keep every
 * worker busy.
 */
import { createRequire } from 'node:module';
import { projects } from './jest-arguments.mjs';

// Jest's own order is a dependency of its dependencies, which are not installed beside it.
let find = createRequire(import.meta.url);
for (const next of ['jest', '@jest/core', 'jest-config']) find = createRequire(find.resolve(next));
const { default: Sequencer } = find('@jest/test-sequencer');

const rank = ({ context }) => projects.indexOf(context.config.displayName?.name);

export default class extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((one, other) => rank(other) - rank(one));
  }
}
