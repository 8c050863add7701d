import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PACKAGES, packageFiles, ROOT } from './tree.ts'

interface Result {
  readonly folder: string
  readonly modules: number
  readonly files: number
  readonly violations: readonly {
    readonly rule: string
    readonly from: string
    readonly to: string
  }[]
}

const importLint = (root: string): { status: number | null; results: Result[]; errors: string } => {
  const script = `${ROOT}tools/lint/imports.mjs`
  const run = spawnSync(process.execPath, [script, '--json', '--root', root], { encoding: 'utf8' })
  const results = run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Result)
  return { status: run.status, results, errors: run.stderr }
}

let copy = ''
const plant = (path: string, text: string): void => {
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  writeFileSync(join(copy, path), text)
}

beforeAll(() => {
  if (!existsSync(`${ROOT}tools/lint/node_modules/dependency-cruiser`)) {
    throw new Error('the import lint is not installed: run `npm ci --prefix tools/lint`')
  }
  copy = mkdtempSync(join(tmpdir(), 'kaccy-lint-'))
  for (const file of ['biome.json', '.gitignore', 'package.json'])
    cpSync(`${ROOT}${file}`, join(copy, file))
  symlinkSync(`${ROOT}node_modules`, join(copy, 'node_modules'))
  for (const name of PACKAGES) {
    for (const part of ['package.json', 'src']) {
      const from = `${ROOT}packages/${name}/${part}`
      if (existsSync(from)) cpSync(from, join(copy, 'packages', name, part), { recursive: true })
    }
  }
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

describe('the import lint', () => {
  test('reads every source file of the repository and finds nothing', () => {
    const { status, results, errors } = importLint(ROOT)
    expect(results.flatMap(({ violations }) => violations)).toEqual([])
    expect(errors).toBe('')
    expect(status).toBe(0)
    for (const name of PACKAGES) {
      const wanted = packageFiles().filter(({ path }) =>
        path.startsWith(`packages/${name}/`),
      ).length
      expect(results.find(({ folder }) => folder === `packages/${name}`)?.modules).toBe(wanted)
      expect(wanted).toBeGreaterThan(0)
    }
  })

  test('fails where there is nothing to read', () => {
    const empty = mkdtempSync(join(tmpdir(), 'kaccy-lint-'))
    for (const name of PACKAGES)
      mkdirSync(join(empty, 'packages', name, 'src'), { recursive: true })
    try {
      const { status, errors } = importLint(empty)
      expect(status).not.toBe(0)
      expect(errors).toContain('read no file')
    } finally {
      rmSync(empty, { recursive: true, force: true })
    }
  })

  /** rule -> file -> what it imports. Each must be caught by exactly this rule at this place. */
  const FAULTS: readonly (readonly [rule: string, path: string, imports: string])[] = [
    ['kernel-is-leaf', 'engine/src/kernel/planted.ts', '../protocol/planted/index.ts'],
    ['kernel-is-leaf', 'engine/src/kernel/planted.ts', '@noble/hashes/sha2.js'],
    [
      'protocol-sees-kernel',
      'engine/src/protocol/planted/index.ts',
      '../../capabilities/ledger/index.ts',
    ],
    ['protocol-imports-audited-only', 'engine/src/protocol/planted/index.ts', 'kysely'],
    ['last-look-stands-alone', 'engine/src/protocol/last-look/planted.ts', '@scure/btc-signer'],
    ['last-look-stands-alone', 'engine/src/protocol/last-look/indirect.ts', '../builder/index.ts'],
    ['pure-means-pure', 'engine/src/protocol/planted/clock.ts', 'node:fs'],
    ['pure-means-pure', 'engine/src/capabilities/ledger/machine.ts', 'node:crypto'],
    ['machine-sees-no-io', 'engine/src/capabilities/ledger/machine.ts', './service.ts'],
    [
      'machine-takes-only-types-from-ports',
      'engine/src/capabilities/ledger/machine.ts',
      './ports.ts',
    ],
    [
      'capability-sees-no-adapter',
      'engine/src/capabilities/ledger/planted.ts',
      '../../adapters/planted/index.ts',
    ],
    ['capability-sees-no-core', 'engine/src/capabilities/ledger/planted.ts', 'node:path'],
    ['adapter-sees-no-runtime', 'engine/src/adapters/planted/index.ts', '../../runtime/planted.ts'],
    ['only-adapters-import-drivers', 'engine/src/capabilities/ledger/planted.ts', 'kysely'],
    ['only-adapters-touch-the-world', 'engine/src/runtime/planted.ts', 'node:http'],
    ['testing-stays-in-tests', 'engine/src/runtime/planted.ts', '../testing/planted.ts'],
    [
      'front-door-only-capabilities',
      'engine/src/runtime/planted.ts',
      '../capabilities/ledger/planted.ts',
    ],
    ['front-door-only-protocol', 'engine/src/runtime/planted.ts', '../protocol/planted/clock.ts'],
    ['front-door-only-adapters', 'engine/src/runtime/planted.ts', '../adapters/planted/inside.ts'],
    ['edge-from-ledger', 'engine/src/capabilities/ledger/planted.ts', '../wallet/index.ts'],
    ['edge-from-chain', 'engine/src/capabilities/chain/planted.ts', '../wallet/index.ts'],
    ['unlisted-capability', 'engine/src/capabilities/planted/index.ts', '../../kernel/index.ts'],
    ['no-cycles', 'engine/src/adapters/planted/index.ts', './inside.ts'],
    ['no-orphans', 'engine/src/adapters/planted/alone.ts', ''],
    ['import-resolves', 'engine/src/adapters/planted/index.ts', './nowhere.ts'],
    ['dependency-is-declared', 'engine/src/adapters/planted/index.ts', 'vitest'],
    ['package-by-name', 'engine/src/adapters/planted/index.ts', '../../../../devnet/src/index.ts'],
    ['devnet-never-imports-the-engine', 'devnet/src/planted.ts', '@kaccy/bitcoin/kernel'],
    ['devnet-never-imports-the-engine', 'devnet/src/planted.test.ts', '@kaccy/bitcoin/kernel'],
    ['signer-imports-nothing-of-ours', 'signer/src/planted.ts', '@kaccy/bitcoin/kernel'],
    ['signer-imports-nothing-of-ours', 'signer/src/planted.test.ts', '@kaccy/devnet'],
    ['package-by-name', 'server/src/planted.ts', '../../engine/src/kernel/index.ts'],
    ['import-resolves', 'server/src/planted.ts', '@kaccy/bitcoin/src/kernel/amount.ts'],
    ['package-by-name', '../tools/planted.ts', '../packages/engine/src/kernel/index.ts'],
    ['import-resolves', '../tools/planted.ts', '@kaccy/bitcoin/kernel/amount.ts'],
  ]

  test('catches each planted fault by the rule that is meant for it', () => {
    const texts = new Map<string, string>([
      ['engine/src/runtime/planted.ts', "import '../kernel/index.ts'\n"],
      ['engine/src/testing/planted.ts', "import '../kernel/index.ts'\n"],
      ['engine/src/adapters/planted/inside.ts', "import './index.ts'\n"],
      ['engine/src/protocol/builder/index.ts', "import '@scure/btc-signer'\n"],
      ['engine/src/capabilities/wallet/index.ts', 'export const planted = 1\n'],
      ['engine/src/capabilities/ledger/index.ts', 'export const planted = 1\n'],
      ['engine/src/capabilities/ledger/ports.ts', 'export const planted = 1\n'],
      ['engine/src/capabilities/ledger/service.ts', 'export const planted = 1\n'],
    ])
    for (const [, path, imports] of FAULTS) {
      const line = imports === '' ? 'export const planted = 1\n' : `import '${imports}'\n`
      texts.set(path, `${texts.get(path) ?? ''}${line}`)
    }
    for (const [path, text] of texts) plant(join('packages', path), text)

    const { status, results } = importLint(copy)
    expect(status).toBe(1)
    const caught = results.flatMap(({ folder, violations }) =>
      violations.map(({ rule, from }) => `${rule} ${join(folder, from)}`),
    )
    const missed = FAULTS.map(([rule, path]) => `${rule} ${join('packages', path)}`).filter(
      (fault) => !caught.includes(fault),
    )
    expect(missed).toEqual([])
  })
})

describe('the code lint', () => {
  const PURE = 'packages/engine/src/protocol/planted/lint.ts'
  const ANY = 'packages/engine/src/adapters/planted/lint.ts'
  const long = `export const long = (a: number) => {\n${'  a += 1\n'.repeat(61)}  return a\n}\n`
  const FAULTS: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['noExcessiveLinesPerFunction', ANY, long],
    ['noExplicitAny', ANY, 'export const any: any = 1\n'],
    ['noNonNullAssertion', ANY, 'export const first = (a: string[]) => a[0]!\n'],
    ['noEnum', ANY, 'export enum Planted { a }\n'],
    ['noDefaultExport', ANY, 'export default 1\n'],
    ['noConsole', ANY, 'console.log(1)\n'],
    ['noUnusedVariables', ANY, 'const unused = 1\n'],
    ['noUnusedImports', ANY, "import { ok } from '../../kernel/index.ts'\n"],
    ['useImportType', ANY, "import { Sat } from '../../kernel/index.ts'\nexport type P = Sat\n"],
    ...[
      'new Date()',
      'fetch("")',
      'process.env',
      'setTimeout(f, 1)',
      'crypto',
      'Buffer',
      'performance',
    ].map((use) => ['noRestrictedGlobals', PURE, `export const planted = ${use}\n`] as const),
    [
      'noRestrictedGlobals',
      'packages/engine/src/kernel/planted.ts',
      'export const now = Date.now()\n',
    ],
    [
      'noRestrictedGlobals',
      'packages/engine/src/capabilities/ledger/machine.ts',
      'export const p = process\n',
    ],
    [
      'noRestrictedGlobals',
      'packages/engine/src/capabilities/ledger/policy.ts',
      'export const p = process\n',
    ],
    ['noSkippedTests', 'packages/engine/src/kernel/planted.test.ts', "test.skip('x', () => {})\n"],
  ]
  const biome = (path: string): string => {
    const run = spawnSync(
      `${ROOT}node_modules/.bin/biome`,
      ['lint', '--max-diagnostics=100', path],
      {
        cwd: copy,
        encoding: 'utf8',
      },
    )
    return run.status === 0 ? '' : `${run.stdout}${run.stderr}`
  }

  test.each(FAULTS)('%s is caught in %s', (rule, path, text) => {
    plant(path, text)
    expect(biome(path)).toContain(`/${rule}`)
  })

  test('lets clean code pass', () => {
    plant(ANY, 'export const planted = (a: number): number => a + 1\n')
    expect(biome(ANY)).toBe('')
  })
})
