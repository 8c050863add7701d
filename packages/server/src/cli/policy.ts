import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { readNumber } from './arguments.ts'
import type { PolicyJson, PolicyTestJson, ReplayJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { readInput } from './output.ts'
import { DIFFERENCE_COLUMNS, POLICY_COLUMNS, showPolicy } from './policy-output.ts'

const LARGEST = 0x7fff_ffff
/** `current`, or a version. */
const pathOf = (word: string): string =>
  word === 'current'
    ? '/v1/policies/current'
    : `/v1/policies/${readNumber(word, '<version>', 0, LARGEST)}`

/** `kaccy policy …` */
export function addPolicy(program: Command, bind: Bind): void {
  const policy = program.command('policy').description('limits, risk and who approves payouts')
  const list = addClientFlags(policy.command('list'))
    .description('newest first, without the built-in one')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy policy list']), (context) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      const rows = await client.list<PolicyJson>('/v1/policies', {}, limit)
      context.list(rows, POLICY_COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const show = addClientFlags(policy.command('show [version]')).description(
    'one version, or the one in force',
  )
  examples(show, ['kaccy policy show', 'kaccy policy show 3 --json'])
  bind(show, (context, [word = 'current']) =>
    context.withClient(async (client) => {
      showPolicy(context, await client.get<PolicyJson>(pathOf(word)))
      return EXIT.ok
    }),
  )
  addPropose(policy, bind)
  addTest(policy, bind)
  addEnable(policy, bind)
  addReplay(policy, bind)
}

function addPropose(policy: Command, bind: Bind): void {
  const propose = addClientFlags(policy.command('propose <file>')).description(
    'store a document as the next version; it decides nothing yet (- for standard input)',
  )
  bind(examples(propose, ['kaccy policy propose policy.json']), async (context, [file = '']) => {
    const document = readDocument(await readInput(context, file), file)
    return context.withClient(async (client) => {
      const made = await client.post<PolicyJson>('/v1/policies', { body: { document } })
      showPolicy(context, made)
      return EXIT.ok
    })
  })
}

/** @throws EngineError USAGE_INVALID */
function readDocument(text: string, file: string): object {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  } catch (cause) {
    throw new EngineError('USAGE_INVALID', `${file} is no JSON`, { cause })
  }
  throw new EngineError('USAGE_INVALID', `${file} is no JSON object`)
}

/** What is wrong with it, a line each. */
function showTest(context: Context, version: string, report: PolicyTestJson): void {
  const { ok, cases, failures, findings } = report
  const verdict = ok
    ? `all ${cases} cases pass`
    : `${failures.length} of ${cases} cases fail, ${findings.length} findings`
  context.facts(
    [
      ['policy', version],
      ['verdict', verdict],
      ...failures.map(({ name, what, expected, got }): [string, string] => [
        'fails',
        `${name}: ${what} is ${got}, not ${expected}`,
      ]),
      ...findings.map((finding): [string, string] => ['finding', finding]),
    ],
    report,
  )
}

function addTest(policy: Command, bind: Bind): void {
  const test = addClientFlags(policy.command('test <version>')).description(
    'hold it against its own cases; exit code 1 when it fails',
  )
  bind(examples(test, ['kaccy policy test 3']), (context, [word = '']) =>
    context.withClient(async (client) => {
      const report = await client.post<PolicyTestJson>(`${pathOf(word)}/test`)
      showTest(context, word, report)
      return report.ok ? EXIT.ok : EXIT.failure
    }),
  )
}

function addEnable(policy: Command, bind: Bind): void {
  const enable = addClientFlags(policy.command('enable <version>'))
    .description('put a tested version in force')
    .option('--yes', 'do not ask')
  bind(examples(enable, ['kaccy policy enable 3 --yes']), async (context, [word = '']) => {
    const path = pathOf(word)
    await context.confirm(`Let policy ${word} decide about payouts from now on?`)
    return context.withClient(async (client) => {
      showPolicy(context, await client.post<PolicyJson>(`${path}/enable`))
      return EXIT.ok
    })
  })
}

function addReplay(policy: Command, bind: Bind): void {
  const replay = addClientFlags(policy.command('replay <version>'))
    .description('which past requests it would have decided otherwise')
    .requiredOption('--from <time>', 'requests made from this moment on')
    .option('--until <time>', 'requests made before this moment (default: now)')
    .option('--list <n>', 'differences to name; all are counted', '100')
  bind(examples(replay, ['kaccy policy replay 3 --from 2026-05-01']), (context, [word = '']) => {
    const body = {
      from: context.time('from'),
      until: context.time('until'),
      list: readNumber(context.text('list') ?? '100', '--list', 0, 1000),
    }
    return context.withClient(async (client) => {
      const report = await client.post<ReplayJson>(`${pathOf(word)}/replay`, { body })
      showReplay(context, report)
      return EXIT.ok
    })
  })
}

function showReplay(context: Context, report: ReplayJson): void {
  if (context.json) {
    context.object(report)
    return
  }
  const { version, requests, different, changes, differences } = report
  context.line(`policy ${version} decides ${different} of ${requests} requests otherwise`)
  for (const { change, count, amount_sat: amount } of changes)
    context.line(`  ${change.padEnd(12)} ${count}, ${satText(amount)}`)
  if (differences.length > 0) context.list(differences, DIFFERENCE_COLUMNS, (row) => row)
}
