#!/usr/bin/env node
/** The program `adit`. */
import { runProgram } from '@adit/shared/process/run-program';
import { program } from './program.ts';

await runProgram('adit', program);
