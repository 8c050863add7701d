/**
 * `npm run test:nodes [-- --json] [--others]`: the engine's unit tests on every Node that users may have: the oldest
 * supported, the one we work on, and the newest. Each has to pass the same number of tests. `--others` leaves
 * out the one we work on.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const asJson = process.argv.includes('--json')
const NODES = [
  `${root}tools/nodes/node_modules/node22/bin/node`,
  ...(process.argv.includes('--others') ? [] : [process.execPath]),
  `${root}tools/nodes/node_modules/node26/bin/node`,
]

interface Outcome {
  readonly node: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

function outcome(node: string): Outcome {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() || node
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-nodes-'))
  const report = join(folder, 'report.json')
  try {
    const run = spawnSync(
      node,
      [
        `${root}node_modules/vitest/vitest.mjs`,
        'run',
        'packages/engine/src/kernel',
        'packages/engine/src/protocol',
        'packages/engine/src/capabilities',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    )
    for (const { name, message, assertionResults } of testResults) {
      if (message) console.error(`${version}: ${name}: ${message}`)
      for (const { status, fullName, failureMessages } of assertionResults) {
        if (status === 'failed') console.error(`${version}: ${fullName}\n${failureMessages[0]}`)
      }
    }
    const failed = run.status === 0 ? numFailedTests : Math.max(1, numFailedTests)
    return { node: version, passed: numPassedTests, failed, skipped: numPendingTests }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (spawnSync(process.execPath, [`${root}tools/ensure.mjs`, 'tools/nodes']).status !== 0) {
  throw new Error('the other Node versions cannot be installed: run `npm ci --prefix tools/nodes`')
}
const outcomes = NODES.map((node) => {
  const result = outcome(node)
  const { node: version, passed, failed, skipped } = result
  console.log(
    asJson
      ? JSON.stringify(result)
      : `Node ${version}: ${passed} passed, ${failed} failed, ${skipped} skipped`,
  )
  return result
})
const isEven = new Set(outcomes.map(({ passed }) => passed)).size === 1
if (!isEven) console.error('the versions did not run the same tests')
process.exitCode =
  isEven && outcomes.every(({ failed, passed }) => failed === 0 && passed > 0) ? 0 : 1
