import { EngineError } from '@kaccy/bitcoin/kernel'
import { Command, CommanderError } from 'commander'
import { addAlerts } from './cli/alerts.ts'
import { addAudit } from './cli/audit.ts'
import { addBooks } from './cli/books.ts'
import { addCoin } from './cli/coin.ts'
import { addCompletion } from './cli/completion.ts'
import { addConfig } from './cli/config.ts'
import { type Bind, Context, type Options } from './cli/context.ts'
import { addDemo } from './cli/demo.ts'
import { addDevnet } from './cli/devnet.ts'
import { addDoctor } from './cli/doctor.ts'
import { addEvents } from './cli/events.ts'
import { addFees } from './cli/fees.ts'
import { addKey } from './cli/key.ts'
import { addLimit } from './cli/limit.ts'
import { addListen } from './cli/listen.ts'
import { addMigrate } from './cli/migrate.ts'
import { addOrder } from './cli/order.ts'
import { addPayments } from './cli/payments.ts'
import { addConsolidation } from './cli/consolidation.ts'
import { addPolicy } from './cli/policy.ts'
import { addPsbt } from './cli/psbt.ts'
import { addServe } from './cli/serve.ts'
import { addSigner } from './cli/signer.ts'
import { addStatistics } from './cli/statistics.ts'
import { addWallet } from './cli/wallet.ts'
import { addWatch } from './cli/watch.ts'
import { addWebhook } from './cli/webhook.ts'
import { addWithdrawal } from './cli/withdrawal.ts'
import { describeFailure, failureJson, failureOf } from './failure.ts'
import { EXIT, type ExitCode, type Shell } from './shell.ts'

import { VERSION } from './version.ts'

export { VERSION }

/** Runs one command line, without the name of the program. Never throws; the answer is the exit code. */
export async function runProgram(args: readonly string[], shell: Shell): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok
  let asJson = args.includes('--json')
  let isStopped = () => shell.signal.aborted
  const bind: Bind = (command, action) =>
    command.action(async (...given: unknown[]) => {
      const options = (given.at(-2) ?? {}) as Options
      const words = given
        .slice(0, -2)
        .flat()
        .filter((word) => typeof word === 'string')
      const context = new Context(shell, options)
      asJson = context.json
      isStopped = () => shell.signal.aborted && !context.runsUntilStopped
      exit = (await action(context, words)) ?? EXIT.ok
    })
  const program = createProgram(shell, bind)
  try {
    await program.parseAsync(args, { from: 'user' })
    return isStopped() ? EXIT.interrupted : exit
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, shell, asJson)
    return report(error, shell, asJson || args.includes('--json'), args.includes('--debug'))
  }
}

function createProgram(shell: Shell, bind: Bind): Command {
  const program = new Command('kaccy')
    .description('Bitcoin payments with public keys only')
    .version(VERSION)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
      // Said once, in our own form, by `usage`.
      outputError: () => {},
    })
  for (const add of COMMANDS) add(program, bind)
  for (const command of program.commands) inherit(command, program)
  return program
}

const COMMANDS: readonly ((program: Command, bind: Bind) => void)[] = [
  addDemo,
  addDevnet,
  addWatch,
  addServe,
  addWallet,
  addOrder,
  addPayments,
  addWithdrawal,
  addPsbt,
  addCoin,
  addPolicy,
  addConsolidation,
  addLimit,
  addSigner,
  addEvents,
  addFees,
  addListen,
  addBooks,
  addStatistics,
  addAudit,
  addAlerts,
  addKey,
  addWebhook,
  addMigrate,
  addDoctor,
  addConfig,
  addCompletion,
]

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  for (const inner of command.commands) inherit(inner, command)
}

function report(error: unknown, shell: Shell, asJson: boolean, debug: boolean): ExitCode {
  const failure = failureOf(error)
  const lines = asJson
    ? [JSON.stringify(failureJson(failure))]
    : describeFailure(failure, debug || shell.debug)
  shell.stderr.write(`${lines.join('\n')}\n`)
  return failure.exit
}

function usage(error: CommanderError, shell: Shell, asJson: boolean): ExitCode {
  if (error.exitCode === 0) return EXIT.ok
  if (error.code === 'commander.help') return EXIT.usage
  const message = error.message.replace(/^error: /, '')
  report(new EngineError('USAGE_INVALID', message), shell, asJson, false)
  if (!asJson) shell.stderr.write('  usage    kaccy --help, kaccy <command> --help\n')
  return EXIT.usage
}
