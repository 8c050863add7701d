/**
 * The import lint. `node tools/lint/imports.mjs [--root DIR] [--json]` reads every package by itself
 * and exits 1 on any violation, and also when it read another set of files than the disk holds:
 * with the wrong TypeScript in reach the reader sees 0 modules and would call that clean.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cruise } from 'dependency-cruiser'
import { TARGETS } from './rules.mjs'

const { values } = parseArgs({ options: { root: { type: 'string' }, json: { type: 'boolean' } } })
const root = resolve(values.root ?? join(dirname(fileURLToPath(import.meta.url)), '../..'))

const onDisk = (folder, sources) =>
  sources.flatMap((source) =>
    readdirSync(join(folder, source), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ts$/.test(file) && !file.includes('node_modules'))
      .map((file) => `${source}/${file}`),
  )

const homeOf = (path) => path.match(/^packages\/[^/]+\//)?.[0] ?? ''

/** Relative imports into a package from outside it: a package is imported by its name, as users do. */
const crossings = (folder, modules) =>
  modules.flatMap((module) =>
    module.dependencies
      .filter(({ module: specifier }) => {
        if (!specifier.startsWith('.')) return false
        const from = relative(root, resolve(folder, module.source))
        const to = relative(root, resolve(folder, dirname(module.source), specifier))
        return homeOf(to) !== homeOf(from)
      })
      .map(({ module: specifier }) => ({
        rule: 'package-by-name',
        from: module.source,
        to: specifier,
      })),
  )

async function lint({ folder: name, sources: wished, rules }) {
  const folder = join(root, name)
  const sources = wished.filter((source) => existsSync(join(folder, source)))
  process.chdir(folder)
  const expected = onDisk(folder, sources)
  if (expected.length === 0) return { folder: name, modules: 0, files: 0, violations: [] }
  const { output } = await cruise(
    sources,
    {
      ruleSet: { forbidden: rules },
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: ['node_modules', '^\\.\\./', '^packages/[^/]+/src/'] },
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['@kaccy/source', 'node', 'import', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts', '.d.mts'],
      bustTheCache: true,
    },
  )
  const wanted = new Set(expected)
  const read = output.modules.filter(({ source }) => wanted.has(source))
  const seen = new Set(read.map(({ source }) => source))
  const violations = [
    ...output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    ...crossings(folder, read),
    ...expected
      .filter((file) => !seen.has(file))
      .map((file) => ({ rule: 'every-file-is-read', from: file, to: '' })),
  ]
  return { folder: name, modules: read.length, files: expected.length, violations }
}

const results = []
for (const target of TARGETS) results.push(await lint(target))
const faults = results.flatMap(({ violations }) => violations).length
const modules = results.reduce((sum, result) => sum + result.modules, 0)
if (modules === 0) throw new Error('the import lint read no file at all')

for (const result of results) {
  if (values.json) {
    console.log(JSON.stringify(result))
    continue
  }
  console.log(`${result.folder}: ${result.modules} of ${result.files} files read`)
  for (const { rule, from, to } of result.violations) {
    console.log(`  ${rule}: ${from}${to === '' || to === from ? '' : ` -> ${to}`}`)
  }
}
process.exitCode = faults === 0 ? 0 : 1
