import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../options.ts'

/** Every figure in full. CI runs the same suites at a tenth; `KACCY_SCALE` is the only difference. */
const FULL = { KACCY_SCALE: '1', KACCY_TRANSCRIPT: 'full' }
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Part {
  readonly name: string
  readonly what: string
  readonly command: readonly string[]
}
const tool = (name: string, ...args: string[]) => [
  'node',
  '--conditions=@kaccy/source',
  `tools/${name}/run.ts`,
  ...args,
]
const suite = (...files: string[]) => ['vitest', 'run', '--reporter=default', ...files]

const PARTS: readonly Part[] = [
  {
    name: 'transcript',
    what: 'from a clone to a paid order by the README, with a real `npm ci`',
    command: suite('e2e/transcript.test.ts'),
  },
  { name: 'conformance', what: 'every vector', command: tool('conformance', '--json') },
  {
    name: 'scenarios',
    what: 'chain schedules on the devnet',
    command: tool('scenarios', '--json'),
  },
  {
    name: 'nodes',
    what: 'chain schedules and a partition on real nodes',
    command: suite('e2e/scenarios-nodes', 'e2e/partition-btcd'),
  },
  {
    name: 'simulate',
    what: '1,000 random schedules',
    command: tool('simulate', '--schedules', '1000'),
  },
  {
    name: 'faults',
    what: 'every stage of a payout, every call, every fault, 50 times each',
    command: tool('faults', '--json', '--times', '50'),
  },
  {
    name: 'selections',
    what: '100,000 random choices of coins',
    command: tool('selections', '--count', '100000'),
  },
  {
    name: 'kills',
    what: '100 kill -9 on SQLite and on PostgreSQL; of payouts as many, and 20 before and after every named write',
    command: suite('e2e/kills'),
  },
  {
    name: 'together',
    what: '100 rounds of two and three engines on one database',
    command: suite('e2e/two-engines'),
  },
  {
    name: 'races',
    what: '10,000 addresses and 1,000 withdrawals from two processes',
    command: suite('test/races'),
  },
  { name: 'store', what: 'store conformance, models and kills', command: suite('test/store') },
  {
    name: 'differential',
    what: 'devnet and real nodes on 2,000 random transactions and 200 random blocks',
    command: suite('e2e/differential'),
  },
  { name: 'contract', what: 'node contract', command: suite('test/counterparts') },
  {
    name: 'devnet',
    what: 'recorded answers, ZeroMQ, and Bitcoin Core beside it where BITCOIND names one',
    command: suite('test/devnet', 'e2e/devnet-page'),
  },
  { name: 'engine', what: 'unit and property tests', command: suite('packages') },
  {
    name: 'e2e',
    what: 'the commands as a user runs them',
    command: suite('e2e/demo', 'e2e/watch', 'e2e/two-engines', 'e2e/reconcile'),
  },
  {
    name: 'server',
    what: 'the server as a process: first key to paid order, drain, kills between commit and answer',
    command: suite('e2e/serve'),
  },
  {
    name: 'consumer',
    what: '300 rounds with a shop that loses, doubles and disorders, both sides killed',
    command: tool('consumer', '--json', '--rounds', '300'),
  },
  {
    name: 'schemathesis',
    what: 'half an hour of requests made from the OpenAPI document',
    command: tool('schemathesis', '--json', '--examples', '200', '--seconds', '1800'),
  },
  {
    name: 'load',
    what: 'the server beside a bare handler, 1,000 streams, ten minutes of mixed requests',
    command: tool('bench', '--only', 'server', '--minutes', '10'),
  },
]

interface Result {
  readonly part: string
  readonly passed: boolean
  readonly seconds: number
  /** The last lines that say something. */
  readonly summary: readonly string[]
}

const TELLING =
  / x |grows by|^\{.*"passed"|Tests |Test Files |schedules from seed|selections from seed|kills, |^\{"topic"|failed|FAIL/

async function run({ name, command }: Part, quiet: boolean): Promise<Result> {
  const [program = '', ...args] = command
  const started = process.hrtime.bigint()
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...FULL, FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const telling: string[] = []
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      if (TELLING.test(line)) telling.push(line.trim().slice(0, 300))
      if (!quiet) process.stdout.write(`  ${line}\n`)
    }
  }
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  await Promise.all([read(child.stdout), read(child.stderr)])
  const code = await ended
  const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n)
  return {
    part: name,
    passed: code === 0,
    seconds,
    summary: telling.slice(name === 'load' ? -60 : -6),
  }
}

async function main(): Promise<void> {
  const values = readOptions({
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
  })
  const results: Result[] = []
  for (const part of PARTS) {
    if (values.only !== undefined && !values.only.split(',').includes(part.name)) continue
    if (!values.json) process.stdout.write(`== ${part.name}: ${part.what}\n`)
    const result = await run(part, values.json)
    results.push(result)
    if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
    else
      process.stdout.write(
        `== ${part.name}: ${result.passed ? 'passed' : 'FAILED'} (${result.seconds} s)\n`,
      )
  }
  const failed = results.filter((result) => !result.passed).map((result) => result.part)
  if (!values.json) {
    process.stdout.write('\n')
    for (const { part, passed, seconds, summary } of results) {
      process.stdout.write(`${passed ? 'passed' : 'FAILED'}  ${part} (${seconds} s)\n`)
      for (const line of summary) process.stdout.write(`        ${line}\n`)
    }
  }
  process.exitCode = failed.length === 0 && results.length > 0 ? 0 : 1
}

await main()
