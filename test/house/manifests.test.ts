import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { committedFiles, PACKAGES, ROOT } from './tree.ts'

interface Manifest {
  readonly version: string
  readonly license: string
  readonly type: string
  readonly sideEffects: boolean
  readonly engines: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(`${ROOT}${folder}package.json`, 'utf8')) as Manifest
const root = manifest('')

/** The source files that a door's pattern opens. */
function opened(folder: string, pattern: string): string[] {
  const [before = '', after] = pattern.replace('./', folder).split('*')
  if (after === undefined) return [before]
  if (!existsSync(`${ROOT}${before}`)) return []
  return readdirSync(`${ROOT}${before}`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${before}${entry.name}${after}`)
}

test.each(PACKAGES)('%s says what it is', (name) => {
  const { license, type, sideEffects, engines, files, exports, version } = manifest(
    `packages/${name}/`,
  )
  expect({ license, type, sideEffects, engines, version }).toEqual({
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: root.engines,
    version: root.version,
  })
  expect(files).toEqual(['dist', 'README.md', 'LICENSE'])
  for (const [door, targets] of Object.entries(exports)) {
    const [first, second, last] = Object.keys(targets)
    expect([door, first, second, last]).toEqual([door, '@kaccy/source', 'types', 'default'])
  }
})

test.each(PACKAGES)('every door of %s leads to a file', (name) => {
  const folder = `packages/${name}/`
  const doors = Object.values(manifest(folder).exports).flatMap((targets) =>
    opened(folder, targets['@kaccy/source'] ?? ''),
  )
  expect(doors.length).toBeGreaterThan(0)
  expect(doors.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([])
})

test('every script runs a file that is there', () => {
  const named = Object.values(root.scripts ?? {}).flatMap(
    (script) => script.match(/\b(tools|packages)\/[\w/.-]+\.(ts|mjs)\b/g) ?? [],
  )
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([])
})

test('every command that a page names is a script', () => {
  const scripts = new Set(Object.keys(root.scripts ?? {}))
  const unknown = committedFiles()
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)].map((match) => ({
        path,
        name: match[1] ?? '',
      })),
    )
    .filter(({ name }) => !scripts.has(name))
  expect(unknown).toEqual([])
})
