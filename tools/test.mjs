/**
 * `npm test`: sets up what is missing, then every check of the project in one run, and the closing line
 * `N passed, N failed`. A step counts one; a step that prints its own figures counts those.
 *
 * `node tools/test.mjs [--only NAME,NAME]` runs the named steps only. Plain JavaScript, because a fresh
 * machine runs it with the Node it has; every step runs on the Node of the lock file.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setUp } from './setup.mjs'

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..')
const bin = join(root, 'node_modules/.bin')
const work = mkdtempSync(join(tmpdir(), 'kaccy-test-'))
const report = join(work, 'vitest.json')
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, NO_COLOR: '1' }

const tool = (name, ...args) => [
  'node',
  '--conditions=@kaccy/source',
  `tools/${name}/run.ts`,
  ...args,
]

/** name, minutes it may take, command, and how its figures are read. */
const STEPS = [
  { name: 'format', minutes: 2, command: ['biome', 'format', '.'] },
  { name: 'lint', minutes: 2, command: ['biome', 'lint', '--error-on-warnings', '.'] },
  { name: 'imports', minutes: 2, command: ['node', 'tools/lint/imports.mjs'] },
  { name: 'types', minutes: 5, command: ['tsc', '-p', 'tsconfig.json'] },
  {
    name: 'types of what browsers run',
    minutes: 5,
    command: ['tsc', '-p', 'packages/server/tsconfig.browser.json'],
  },
  { name: 'build', minutes: 5, command: ['node', 'tools/build.mjs'] },
  {
    name: 'tests',
    minutes: 45,
    command: [
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    figures: fromVitest,
  },
  { name: 'conformance', minutes: 10, command: tool('conformance', '--json'), figures: fromLines },
  { name: 'scenarios', minutes: 5, command: tool('scenarios', '--json'), figures: fromLines },
  { name: 'packages', minutes: 8, command: tool('packages', '--json'), figures: fromLines },
  {
    name: 'schemathesis',
    minutes: 6,
    command: tool('schemathesis', '--json'),
    figures: fromLines,
  },
  { name: 'nodes', minutes: 10, command: tool('nodes', '--json', '--others'), figures: fromLines },
]

function fromVitest() {
  if (!existsSync(report)) return undefined
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  // A file that does not load has no tests to count, and is a failure all the same.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length
  return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests }
}

const countOf = (value) => (Array.isArray(value) ? value.length : Number(value ?? 0))

/** Our commands print an object a line: `passed` is a verdict or a number, `skipped` a reason, a list or a number. */
function fromLines(output) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const line of output.split('\n').filter((text) => text.startsWith('{'))) {
    const { passed, failed, skipped } = JSON.parse(line)
    if (typeof skipped === 'string') sum.skipped += 1
    else if (typeof passed === 'boolean') sum[passed ? 'passed' : 'failed'] += 1
    else {
      sum.passed += countOf(passed)
      sum.failed += countOf(failed)
      sum.skipped += countOf(skipped)
    }
  }
  return sum.passed + sum.failed === 0 ? undefined : sum
}

function take({ name, minutes, command, figures }) {
  const start = Date.now()
  console.log(`\n== ${name}`)
  const [program, ...args] = command
  const run = spawnSync(program, args, {
    cwd: root,
    env,
    timeout: minutes * 60_000,
    maxBuffer: 256 * 1024 * 1024,
    encoding: 'utf8',
    stdio: ['ignore', figures === fromLines ? 'pipe' : 'inherit', 'inherit'],
  })
  if (run.stdout) process.stdout.write(run.stdout.replace(/^(.{300}).+$/gm, '$1 …'))
  const isClean = run.status === 0
  const counted = figures?.(run.stdout ?? '') ?? { passed: isClean ? 1 : 0, failed: 0, skipped: 0 }
  // A step that fails without a failed case (it hung, it crashed) still fails the run.
  const failed = !isClean && counted.failed === 0 ? 1 : counted.failed
  const seconds = Math.round((Date.now() - start) / 1000)
  console.log(`== ${name}: ${isClean && failed === 0 ? 'ok' : 'FAILED'} (${seconds} s)`)
  return { name, ...counted, failed }
}

const only = process.argv[2] === '--only' ? (process.argv[3] ?? '').split(',') : undefined
const missing = setUp()
const results = STEPS.filter(({ name }) => !only || only.includes(name)).map(take)
rmSync(work, { recursive: true, force: true })
if (missing.length > 0) {
  console.log(`\nmissing counterparts: ${missing.join(', ')}`)
  if (process.env.CI)
    results.push({ name: 'counterparts', passed: 0, failed: missing.length, skipped: 0 })
}

const total = (key) => results.reduce((sum, result) => sum + result[key], 0)
const broken = results.filter(({ failed }) => failed > 0).map(({ name }) => name)
if (broken.length > 0) console.log(`\nfailed: ${broken.join(', ')}`)
console.log(`\n${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`)
process.exitCode = total('failed') === 0 && total('passed') > 0 ? 0 : 1
