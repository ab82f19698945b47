/**
 * `adit completion bash|zsh|fish`: the script that completes commands, flags, their words and files in a shell.
 * Rule: the script is made of the commands that this program has, so that both are of one version.
 */
import { Argument, Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { type CommandRow, commandRows } from './completion/commands.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Record<
  string,
  (adit: CommandRow) => string
>;
export type Shell = keyof typeof shells;
export const shellNames = Object.keys(shells) as Shell[];

const examples = `
Examples:
  For this user, from the next shell on:
    adit completion bash > ~/.local/share/bash-completion/completions/adit
    adit completion fish > ~/.config/fish/completions/adit.fish

  In ~/.zshrc, after compinit:
    source <(adit completion zsh)`;

/** The command. `adit` is the whole program, asked for when the command runs. */
export function completionCommand(adit: () => Command): Command {
  return new Command('completion')
    .summary('print the completion script of a shell')
    .description('Prints a script that completes commands, flags and their values in bash, zsh or fish.')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shellNames))
    .addHelpText('after', examples)
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, adit()));
    });
}

/** The script of a shell for a program. */
export function completionScript(shell: Shell, adit: Command): string {
  return shells[shell](commandRows(adit));
}
