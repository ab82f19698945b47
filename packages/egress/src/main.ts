#!/usr/bin/env node
/** The program `adit-egress`: the egress alone, for a machine that needs nothing else. */
import { packageVersion, runProgram } from '@adit/shared';
import { egressCommand } from './command.ts';

await runProgram('adit-egress', () => egressCommand().name('adit-egress').version(packageVersion(import.meta.url)));
