import { resolve } from 'node:path'
import { EngineError, silentLogger } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import type { DemoServe } from '../demo/run.ts'
import type { Served } from '../demo/serve.ts'
import { EXIT } from '../shell.ts'
import { jsonPresenter, livePresenter, type Presenter, plainPresenter } from '../view/presenter.ts'
import { obeyLines, WORDS } from './console.ts'
import { addCommonFlags, type Bind, type Context, examples } from './context.ts'

/** `kaccy demo` */
export function addDemo(program: Command, bind: Bind): void {
  const command = addCommonFlags(program.command('demo'))
    .description('take a payment from end to end, on a chain that runs in this process')
    .option('--fast', 'wait for no reader: a few seconds')
    .option('--speed <n>', '2 is twice as fast, 0.5 half as fast', '1')
    .option('--seed <text>', 'another chain', 'kaccy')
    .option('--data <dir>', 'keep everything there, and go on from there')
    .option('--keep', 'keep the temporary folder')
    .option('--serve', 'serve the API and the checkout page of the order, on until Ctrl-C')
    .option('--listen <address:port>', 'where to serve; port 0 takes a free one', '127.0.0.1:8080')
  examples(command, ['kaccy demo', 'kaccy demo --fast --data demo', 'kaccy demo --serve'])
  bind(command, async (context) => {
    const { shell } = context
    const data = context.text('data')
    const { runDemo } = await import('../demo/run.ts')
    const { finished } = await runDemo({
      seed: context.text('seed') ?? 'kaccy',
      speed: speedOf(context),
      data: data === undefined ? undefined : resolve(shell.folder, data),
      keep: context.options['keep'] === true,
      command: commandOf(context),
      presenter: presenterOf(context, 'kaccy demo'),
      logger: silentLogger,
      signal: shell.signal,
      serve: context.options['serve'] === true ? await servingOf(context) : undefined,
    })
    return finished ? EXIT.ok : EXIT.interrupted
  })
}

/** In a clone the program is a script of npm, not a command on the path. */
const commandOf = ({ shell }: Context): string =>
  shell.environment['npm_lifecycle_event'] ? 'npm run -s kaccy --' : 'kaccy'

/** A person sees the story first and the addresses after it; a program gets them as soon as they are known. */
async function servingOf(context: Context): Promise<DemoServe> {
  const { listenOn } = await import('../serve/settings.ts')
  return {
    listen: listenOn({ 'http.listen': context.text('listen') ?? '127.0.0.1:8080' }),
    onServing(served) {
      if (context.json) context.object(servedObject(served))
    },
    async untilDone(chain, served) {
      if (!context.json)
        for (const line of servedLines(served, commandOf(context))) context.line(line)
      await obeyLines(context, chain)
    },
  }
}

const servedObject = ({ url, payUrl, token, keyFile }: Served) => ({
  type: 'serving',
  url,
  pay_url: payUrl,
  token,
  key_file: keyFile,
})

const servedLines = ({ url, payUrl, token, keyFile }: Served, command: string): string[] => [
  '',
  ' Serving until Ctrl-C or `quit`',
  `   checkout page   ${payUrl}`,
  `   API             ${url}/v1, described at ${url}/docs`,
  `   key             ${token}`,
  '',
  ' Ask it, in another terminal',
  `   curl -H 'Authorization: Bearer ${token}' ${url}/v1/orders`,
  `   ${command} order list --api ${url} --api-key-file ${keyFile}`,
  '',
  ' Type here what customers and miners do',
  ...WORDS.map((word) => `   ${word}`),
]

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
