import { resolve } from 'node:path'
import { EngineError, silentLogger } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { jsonPresenter, livePresenter, type Presenter, plainPresenter } from '../view/presenter.ts'
import { addCommonFlags, type Bind, type Context } from './context.ts'

/** `kaccy demo` */
export function addDemo(program: Command, bind: Bind): void {
  const command = addCommonFlags(program.command('demo'))
    .description('take a payment from end to end, on a chain that runs in this process')
    .option('--fast', 'wait for no reader: a few seconds')
    .option('--speed <n>', '2 is twice as fast, 0.5 half as fast', '1')
    .option('--seed <text>', 'another chain', 'kaccy')
    .option('--data <dir>', 'keep everything there, and go on from there')
    .option('--keep', 'keep the temporary folder')
  bind(command, async (context) => {
    const { shell } = context
    const data = context.text('data')
    const { runDemo } = await import('../demo/run.ts')
    const { finished } = await runDemo({
      seed: context.text('seed') ?? 'kaccy',
      speed: speedOf(context),
      data: data === undefined ? undefined : resolve(shell.folder, data),
      keep: context.options['keep'] === true,
      // In a clone the program is a script of npm, not a command on the path.
      command: shell.environment['npm_lifecycle_event'] ? 'npm run -s kaccy --' : 'kaccy',
      presenter: presenterOf(context, 'kaccy demo'),
      logger: silentLogger,
      signal: shell.signal,
    })
    return finished ? EXIT.ok : EXIT.interrupted
  })
}

function speedOf(context: Context): number {
  if (context.options['fast'] === true) return Number.POSITIVE_INFINITY
  const text = context.text('speed') ?? '1'
  const speed = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (speed > 0) return speed
  throw new EngineError('USAGE_INVALID', '--speed is no number above 0', {
    details: { param: '--speed' },
  })
}

/** The form that fits the reader: JSON for programs, a screen for a terminal, lines for everything else. */
export function presenterOf(context: Context, command: string, url = 'in this process'): Presenter {
  const { stdout } = context.shell
  if (context.json) return jsonPresenter(stdout)
  const roomy = stdout.isTTY === true && (stdout.columns ?? 80) >= 80 && (stdout.rows ?? 40) >= 20
  if (!roomy || context.shell.environment['TERM'] === 'dumb')
    return plainPresenter(stdout, context.paint)
  return livePresenter(stdout, context.paint, {
    command,
    node: { url },
    footer: 'Ctrl-C stops',
  })
}
