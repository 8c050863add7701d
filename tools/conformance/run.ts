/**
 * Runs every vector file under a folder of topics against the engine and prints one line a topic.
 * `npm run conformance -- [--vectors DIR] [--topic T] [--json]`. Without `--json` a terminal gets text; a pipe gets JSON
 * either way. Failures are explained on stderr. Exit 1 when a case failed, 2 when there was nothing to run.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { readOptions } from '../options.ts'
import type { CaseRecord } from './cases.ts'
import { UNBUILT } from './unbuilt.ts'

interface TopicModule {
  readonly topic: string
  run(dir: string): AsyncIterable<CaseRecord>
}
interface Skipped {
  readonly case: string
  readonly reason: string
}
interface TopicLine {
  readonly topic: string
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly Skipped[]
}

const topicsFolder = fileURLToPath(new URL('./topics/', import.meta.url))
const shared =
  process.env['KACCY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url))

const options = readOptions({
  vectors: { type: 'string', default: join(shared, 'vectors') },
  topic: { type: 'string' },
  json: { type: 'boolean', default: false },
})

if (!existsSync(options.vectors)) {
  process.stderr.write(`--vectors: there is no folder ${options.vectors}\n`)
  process.exit(2)
}

const folders = async (dir: string): Promise<string[]> =>
  (await readdir(dir, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()

async function topicModules(): Promise<Map<string, TopicModule>> {
  const modules = new Map<string, TopicModule>()
  for (const name of (await readdir(topicsFolder)).sort()) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue
    const module = (await import(pathToFileURL(join(topicsFolder, name)).href)) as TopicModule
    modules.set(module.topic, module)
  }
  return modules
}

async function* unbuilt(topic: string, dir: string): AsyncGenerator<CaseRecord> {
  const reason = UNBUILT[topic] ?? 'no part of the engine reads this topic yet'
  for (const name of (await readdir(dir)).sort()) {
    if (name !== 'README.md') yield { case: name, outcome: 'skipped', reason }
  }
}

async function runTopic(topic: string, cases: AsyncIterable<CaseRecord>): Promise<TopicLine> {
  let passed = 0
  let failed = 0
  const skipped: Skipped[] = []
  const fail = (name: string, reason: string) => {
    failed++
    process.stderr.write(`${topic}: ${name}: ${reason}\n`)
  }
  try {
    for await (const record of cases) {
      if (record.outcome === 'passed') passed++
      else if (record.outcome === 'failed') fail(record.case, record.reason)
      else skipped.push({ case: record.case, reason: record.reason })
    }
  } catch (error) {
    fail('the topic', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  // A topic that ran nothing must not look like a topic that is right.
  if (passed + failed + skipped.length === 0) fail('the topic', 'has no case')
  return { topic, passed, failed, skipped }
}

function asText({ topic, passed, failed, skipped }: TopicLine): string {
  const counts = `${topic.padEnd(16)} ${passed} passed, ${failed} failed, ${skipped.length} skipped`
  const reasons = new Map<string, number>()
  for (const { reason } of skipped) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const lines = [...reasons].map(([reason, count]) => `    ${count} x ${reason}`)
  return [counts, ...lines].join('\n')
}

async function main(): Promise<number> {
  const dir = options.vectors
  const isWanted = (topic: string) => options.topic === undefined || options.topic === topic
  const topics = (await folders(dir)).filter(isWanted)
  if (topics.length === 0) {
    process.stderr.write(`no topic ${options.topic ?? ''} under ${dir}\n`)
    return 2
  }
  const modules = await topicModules()
  const isText = !options.json && process.stdout.isTTY
  let failed = 0
  for (const topic of topics) {
    const folder = join(dir, topic)
    const cases = modules.get(topic)?.run(folder) ?? unbuilt(topic, folder)
    const line = await runTopic(topic, cases)
    failed += line.failed
    process.stdout.write(`${isText ? asText(line) : JSON.stringify(line)}\n`)
  }
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
