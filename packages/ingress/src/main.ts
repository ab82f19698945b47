#!/usr/bin/env node
/** The program `adit-ingress`: the ingress alone, and `adit-ingress connect`, for a machine that needs nothing else. */
import { packageVersion } from '@adit/shared/process/package-version';
import { runProgram } from '@adit/shared/process/run-program';
import { ingressCommand } from './command.ts';
import { connectCommand } from './stdio/command.ts';

await runProgram('adit-ingress', () =>
  ingressCommand()
    .name('adit-ingress')
    .version(packageVersion(import.meta.url))
    .enablePositionalOptions()
    .addCommand(connectCommand()),
);
