#!/usr/bin/env node
/** The program `adit`. */
import { runProgram } from '@adit/shared';
import { program } from './program.ts';

await runProgram('adit', program);
