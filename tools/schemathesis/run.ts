/**
 * Holds a running server against its own OpenAPI document: schemathesis makes requests from it, valid and invalid, single and
 * in chains, and every answer has to be one that the document describes, and no 5xx.
 *
 * `npm run schemathesis -- [--examples N] [--seconds N] [--seed N] [--json]`: requests of each operation, and time, at most.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../options.ts'
import { documentFor, type Operation, operationsOf } from './document.ts'
import { openSeeded, type Seeded } from './seed.ts'

/** What is not asked, and why; printed with every run. */
const LEFT_OUT: readonly { readonly id: string; readonly reason: string }[] = [
  { id: 'payEvents', reason: 'an endless answer; test/pay holds it' },
  { id: 'streamEvents', reason: 'an endless answer; test/server/stream*.test.ts hold it' },
]
/** Checks that do not hold for everything, and why; printed with every run. */
const LIMITED = [
  'positive_data_acceptance holds for reading only: no schema says that an expiry lies ahead, that a height is not above the tip, that 1.0 is not written as an integer',
  'positive_data_acceptance is left out for listEvents, listOrders, listLimits, listPayoutDays and listWithdrawals: no schema says how far events go, what the checksum of an address is, or what a cursor holds',
]
const CONFIGURATION = `
[checks]
positive_data_acceptance.enabled = false
# What is too large is refused as such, before anybody looks whether it is valid.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431]

[[operations]]
include-method = "GET"
exclude-operation-id = ["listEvents", "listOrders", "listLimits", "listPayoutDays", "listWithdrawals"]
checks.positive_data_acceptance.enabled = true
`
/** Fewer requests than this, and something went wrong before the server was asked. */
const LEAST = 300

interface Outcome {
  readonly tested: number
  readonly requests: number
  readonly failures: number
  readonly text: string
}
interface Run {
  readonly program: string
  readonly folder: string
  readonly seeded: Seeded
  readonly flags: readonly string[]
}

async function ask({ program, folder, seeded, flags }: Run): Promise<Outcome> {
  const { server } = seeded
  const args = [
    ...['--config-file', join(folder, 'schemathesis.toml'), 'run', join(folder, 'openapi.json')],
    ...['--url', server.url, '--header', `Authorization: Bearer ${server.token}`],
    ...['--continue-on-failure', '--no-color', '--output-truncate', 'false'],
    ...['--generation-database', 'none', '--request-timeout', '10', ...flags],
    ...LEFT_OUT.flatMap(({ id }) => ['--exclude-operation-id', id]),
  ]
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: fileURLToPath(new URL('hooks.py', import.meta.url)),
    KACCY_KEY_IN_USE: seeded.key,
    KACCY_KEY_INSTEAD: seeded.ids['key']?.[0],
  }
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
  })
  const code = await new Promise<number>((resolve) =>
    child.once('close', (status) => resolve(status ?? 1)),
  )
  const number = (form: RegExp) => Number(form.exec(text)?.[1]?.replaceAll(',', '') ?? 0)
  const found = number(/(\d+) unique failures?/) + number(/=+ (\d+) errors?/)
  return {
    tested: number(/Tested: (\d+)/),
    requests: number(/([\d,]+) generated/),
    failures: code !== 0 && found === 0 ? 1 : found,
    text,
  }
}

/** Operations that never came to a success: what they answer then was not looked at. */
async function neverDone(seeded: Seeded, operations: readonly Operation[]): Promise<string[]> {
  const { text } = await seeded.server.call('GET', '/metrics')
  const done = new Set<string>()
  for (const line of text.split('\n')) {
    const label = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(line)?.[1] ?? ''
    if (!line.startsWith('kaccy_http_request_seconds_count')) continue
    if (/^[23]/.test(label('status'))) done.add(`${label('method')} ${label('route')}`)
  }
  return operations
    .map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`)
    .filter((name) => !done.has(name))
}

async function run(options: ReturnType<typeof readFlags>): Promise<number> {
  const installer = fileURLToPath(new URL('install.mjs', import.meta.url))
  const installed = spawnSync(process.execPath, [installer], { encoding: 'utf8' })
  const program = installed.stdout.trim()
  if (installed.status !== 0) {
    say(options.json, { skipped: `schemathesis cannot be installed: ${installed.stderr}` })
    return process.env['CI'] ? 1 : 0
  }
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-schemathesis-'))
  const seeded = await openSeeded()
  try {
    const { text } = await seeded.server.call('GET', '/openapi.json')
    await writeFile(join(folder, 'openapi.json'), documentFor(text, seeded.ids, seeded.recovery))
    await writeFile(join(folder, 'schemathesis.toml'), CONFIGURATION)
    for (const { id, reason } of LEFT_OUT) note(`left out: ${id}: ${reason}`)
    for (const reason of LIMITED) note(`limited: ${reason}`)
    const flags = [
      ...['--max-examples', options.examples, '--max-time', options.seconds],
      ...(options.seed === undefined ? [] : ['--seed', options.seed]),
    ]
    const outcome = await ask({ program, folder, seeded, flags })
    const operations = operationsOf(text)
    const missing = await neverDone(seeded, operations)
    for (const name of missing) note(`never came to a success: ${name}`)
    if (!options.json || outcome.failures > 0) note(outcome.text)
    const self = await seeded.server.call('GET', '/v1/self')
    if (self.status !== 200) note('the key of the run was revoked on the way')
    const isWhole =
      outcome.requests >= LEAST && outcome.tested === operations.length - LEFT_OUT.length
    const failed = outcome.failures + (isWhole ? 0 : 1) + (self.status === 200 ? 0 : 1)
    say(options.json, { passed: outcome.tested, failed, requests: outcome.requests })
    return failed === 0 ? 0 : 1
  } finally {
    await seeded.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const note = (line: string): void => void process.stderr.write(`${line}\n`)
const say = (json: boolean, facts: Readonly<Record<string, unknown>>): void => {
  const text = Object.entries(facts).map(([name, value]) => `${value} ${name}`)
  process.stdout.write(json ? `${JSON.stringify(facts)}\n` : `${text.join(', ')}\n`)
}
const readFlags = () =>
  readOptions({
    json: { type: 'boolean', default: false },
    examples: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '110' },
    seed: { type: 'string' },
  })

process.exitCode = await run(readFlags())
