#!/usr/bin/env node
/** The program `adit-egress`: the egress alone, for a machine that needs nothing else. */
import { runProgram } from '@adit/shared/process/run-program';
import { egressProgram } from './command.ts';

void runProgram('adit-egress', egressProgram);
