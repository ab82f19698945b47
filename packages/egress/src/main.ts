#!/usr/bin/env node
/** The program `adit-egress`: the egress alone, for a machine that needs nothing else. */
import { packageVersion } from '@adit/shared/process/package-version';
import { runProgram } from '@adit/shared/process/run-program';
import { egressCommand } from './command.ts';

await runProgram('adit-egress', () =>
  egressCommand()
    .name('adit-egress')
    .version(packageVersion(import.meta.url)),
);
