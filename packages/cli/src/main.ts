#!/usr/bin/env node
/** The program `adit`. Some of its commands are also programs of their own (programs/), for a faster start. */
import { runProgram } from '@adit/shared/process/run-program';
import { program } from './program.ts';

void runProgram('adit', program);
