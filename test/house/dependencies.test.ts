import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PACKAGES, ROOT } from './tree.ts'

interface Entry {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly hasInstallScript?: boolean
  readonly resolved?: string
  readonly link?: boolean
}

const json = <T>(path: string): T => JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8')) as T
const lock = json<{ packages: Record<string, Entry> }>('package-lock.json').packages

/** Where npm finds `name` for a package at `from`: the nearest `node_modules` upwards. */
function locate(name: string, from: string): string {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (lock[path]) return path
    if (at === '') throw new Error(`${name} of ${from} is not in the lock file`)
    if (!at.includes('/node_modules/')) at = ''
  }
}

/** Every package that installing `from` brings, by its place in the lock file. */
function treeOf(from: string, seen = new Set<string>()): Set<string> {
  for (const name of Object.keys(lock[from]?.dependencies ?? {})) {
    const path = locate(name, from)
    if (seen.has(path)) continue
    seen.add(path)
    treeOf(path, seen)
  }
  return seen
}

test('the engine stays within 40 packages, none of which runs anything at install', () => {
  const tree = treeOf('packages/engine')
  expect(tree.size).toBeGreaterThan(4)
  expect(tree.size + 1).toBeLessThanOrEqual(40)
  expect([...tree].filter((path) => lock[path]?.hasInstallScript)).toEqual([])
})

test('the signing process stays within 8 packages, none of which runs anything at install', () => {
  const tree = treeOf('packages/signer')
  expect(tree.size).toBeGreaterThan(2)
  expect(tree.size + 1).toBeLessThanOrEqual(8)
  expect([...tree].filter((path) => lock[path]?.hasInstallScript)).toEqual([])
  expect([...tree].filter((path) => path.includes('@kaccy'))).toEqual([])
})

test('devnet and engine do not know each other; the engine brings no driver and no native code', () => {
  const engine = [...treeOf('packages/engine')]
  expect(engine.filter((path) => /@kaccy|\/pg$|sqlite/.test(path))).toEqual([])
  expect([...treeOf('packages/devnet')].filter((path) => path.includes('@kaccy'))).toEqual([])
})

test('every version is exact', () => {
  const folders = [
    '',
    'tools/lint/',
    'tools/nodes/',
    ...PACKAGES.map((name) => `packages/${name}/`),
  ]
  const loose = folders.flatMap((folder) => {
    const { dependencies, devDependencies } = json<Entry>(`${folder}package.json`)
    return Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+$/.test(version))
      .map(([name, version]) => `${folder}package.json: ${name}@${version}`)
  })
  expect(loose).toEqual([])
})

test('the lock files name no place to download from', () => {
  const locks = [
    'package-lock.json',
    'tools/lint/package-lock.json',
    'tools/nodes/package-lock.json',
  ]
  const named = locks.flatMap((path) =>
    Object.entries(json<{ packages: Record<string, Entry> }>(path).packages)
      .filter(([, entry]) => entry.resolved && !entry.link)
      .map(([name, entry]) => `${path}: ${name} ${entry.resolved}`),
  )
  expect(named).toEqual([])
})
