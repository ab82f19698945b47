/**
 * What an executable runs first: the program of the command that it is called with, from the assets inside of it.
 * Rule: only that program is compiled and kept in memory; `adit egress` has nothing of the CA.
 */
const { getAsset } = require('node:sea');
const { constants, compileFunction } = require('node:vm');

const [, , command] = process.argv;
const name = ['egress', 'ingress', 'connect'].includes(command) ? `${command}.js` : 'program.js';
const run = compileFunction(getAsset(name, 'utf8'), ['exports', 'require', 'module', '__filename', '__dirname'], {
  filename: name, // in the stack of a bug
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
run(exports, require, module, __filename, __dirname);
