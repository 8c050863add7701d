import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run } from './process.ts'

/** A test framework, the version that is tried, and how it runs one file. */
interface Framework {
  /** First line of its block on the devnet's page, after `// `. */
  readonly name: string
  readonly install: readonly string[]
  readonly file: string
  readonly command: readonly string[]
  /** What its output says of one test that passed. */
  readonly passed: RegExp
}
const VM_MODULES = '--experimental-vm-modules'

export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'vitest',
    install: ['vitest@5.1.1'],
    file: 'shop.vitest.test.js',
    command: ['node_modules/vitest/vitest.mjs', 'run', '--reporter=tap'],
    passed: /ok 1 - .*shop\.vitest\.test\.js/,
  },
  {
    name: 'jest',
    install: ['jest@30.5.2'],
    file: 'shop.jest.test.js',
    command: [VM_MODULES, 'node_modules/jest/bin/jest.js', '--json'],
    passed: /"numPassedTests":1,/,
  },
  {
    name: 'node:test',
    install: [],
    file: 'shop.node.test.js',
    command: ['--test', '--test-reporter=tap'],
    passed: /# pass 1\n# fail 0/,
  },
]

/**
 * Runs what has to install something from a registry. Without one nothing can be said, which is told and not counted as
 * a fault, but in CI.
 */
export function withRegistry(work: () => readonly string[]): readonly string[] {
  try {
    return work()
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const cut = /npm error code (ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|E404|ENOTCACHED)/.exec(
      text,
    )
    if (!cut || process.env['CI']) throw error
    console.error(`SKIPPED: npm install is impossible here (${cut[1]})`)
    return []
  }
}

/** The tests of the devnet's page, each in a project that has only the packed devnet and its framework. Returns what is wrong. */
export function tryFramework(framework: Framework, folder: string): readonly string[] {
  const page = readFileSync(`${ROOT}packages/devnet/README.md`, 'utf8')
  const blocks = [...page.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? '')
  const text = blocks.find((block) => block.startsWith(`// ${framework.name}\n`))
  if (text === undefined) return [`the devnet's page has no test for ${framework.name}`]
  if (framework.install.length > 0) {
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
    run('npm', [...install, '--save-dev', ...framework.install], folder)
  }
  if (framework.name === 'jest') {
    const path = join(folder, 'package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...manifest, jest: { transform: {} } }))
  }
  writeFileSync(join(folder, framework.file), text)
  const [program = '', ...rest] = framework.command
  const out = run(process.execPath, [program, ...rest, framework.file], folder)
  if (!existsSync(join(folder, 'node_modules/@kaccy/devnet'))) return ['the devnet is not there']
  return framework.passed.test(out) ? [] : [`no passed test: ${out.slice(0, 1000)}`]
}
