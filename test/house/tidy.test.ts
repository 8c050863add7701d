import { basename } from 'node:path'
import { expect, test } from 'vitest'
import {
  committedFiles,
  hits,
  outsideFiles,
  packageFiles,
  shippedFiles,
  withoutComments,
} from './tree.ts'

/** Files allowed past the limit, with their present number of lines: this list may only shrink. */
const RATCHET: Readonly<Record<string, number>> = {}
const LINES_MAX = 400
const MEDIAN_MAX = 150

const files = packageFiles()
const shipped = shippedFiles()
const code = shipped.map(({ path, text }) => ({ path, text: withoutComments(text) }))
const lines = (text: string) => text.trimEnd().split('\n').length
const PURE = /\/src\/(kernel|protocol)\/|\/capabilities\/[^/]+\/(machine|policy)\.ts$/

test('there is something to look at', () => {
  expect(shipped.length).toBeGreaterThan(20)
})

test('no file outgrows a sitting', () => {
  const long = [...files, ...outsideFiles()]
    .filter(({ path, text }) => lines(text) > (RATCHET[path] ?? LINES_MAX))
    .map(({ path, text }) => `${path}: ${lines(text)}`)
  expect(long).toEqual([])
})

test('the ratchet names only files that still need it', () => {
  const sizes = new Map(files.map(({ path, text }) => [path, lines(text)]))
  const loose = Object.entries(RATCHET).filter(([path, size]) => (sizes.get(path) ?? 0) < size)
  expect(loose).toEqual([])
})

test('the median file stays small', () => {
  const sizes = shipped.map(({ text }) => lines(text)).sort((a, b) => a - b)
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(MEDIAN_MAX)
})

test('no dumping grounds', () => {
  const names = /^(utils?|helpers?|common|misc|lib|shared|types|constants)$/
  const dumps = [...files, ...outsideFiles()].filter(({ path }) =>
    [...path.split('/').slice(0, -1), basename(path).replace(/(\.test)?\.ts$/, '')].some((part) =>
      names.test(part),
    ),
  )
  expect(dumps.map(({ path }) => path)).toEqual([])
})

test('every capability has a front door, a test and a page', () => {
  const all = new Set(committedFiles().map(({ path }) => path))
  for (const { path } of files) all.add(path)
  const home = 'packages/engine/src/capabilities'
  const names = new Set(
    files.flatMap(
      ({ path }) => path.match(/^packages\/engine\/src\/capabilities\/([^/]+)\//)?.[1] ?? [],
    ),
  )
  const missing = [...names].flatMap((name) => [
    ...(all.has(`${home}/${name}/index.ts`) ? [] : [`${name}: no index.ts`]),
    ...(all.has(`${home}/${name}/README.md`) ? [] : [`${name}: no README.md`]),
    ...([...all].some((path) => path.startsWith(`${home}/${name}/`) && path.endsWith('.test.ts'))
      ? []
      : [`${name}: no test`]),
  ])
  expect(missing).toEqual([])
})

test('pure code reads no clock and no randomness', () => {
  const pure = code.filter(({ path }) => PURE.test(path))
  expect(pure.length).toBeGreaterThan(10)
  expect(
    hits(pure, /Math\.random|new Date\b|Date\.now|performance\.now|getRandomValues|randomBytes/),
  ).toEqual([])
})

test('nothing that ships uses Math.random', () => {
  expect(hits(code, /Math\.random/)).toEqual([])
})

test('only EngineError and AssertionError are thrown in the engine', () => {
  // A conformance suite throws a stranger's error on purpose, to see that a store lets it through.
  const engine = code.filter(({ path }) => /^packages\/engine\/src\/(?!testing\/)/.test(path))
  expect(hits(engine, /throw new (?!EngineError\b|AssertionError\b)[A-Z]/)).toEqual([])
  expect(hits(code, /throw new Error\(/)).toEqual([])
})

test('money never passes a floating point number', () => {
  expect(
    hits(code, /parseFloat|\b1e8\b|\b1e-8\b|\.toFixed\(8\)|(\*|\/) *100_?000_?000\b(?!n)/),
  ).toEqual([])
  expect(hits(code, /Number\([a-zA-Z_.]*([sS]at|[aA]mount)s?\) *[*/]/)).toEqual([])
})

test('a failure is not swallowed without a word about why', () => {
  const empty = /catch *(\([^)]*\))? *\{ *\}|\.catch\(\(\) *=> *(\{ *\}|undefined|null)\)/
  const silent = shipped.flatMap(({ path, text }) => {
    const all = text.split('\n')
    const says = (index: number) => /\/\/|\*\//.test(all[index] ?? '')
    return all.flatMap((line, index) =>
      empty.test(line) && !says(index) && !says(index - 1) ? [`${path}:${index + 1}`] : [],
    )
  })
  expect(silent).toEqual([])
})

test('types are not talked down', () => {
  expect(hits(code, /@ts-(ignore|nocheck|expect-error)|\bas any\b|: any\b/)).toEqual([])
})

test('no test is skipped without a reason that is printed', () => {
  const own = 'test/house/tidy.test.ts'
  // These two print `SKIPPED: …` with the reason, and fail in CI instead.
  const prints = /reasonToSkip\(|postgresForTests\(/
  const silent = [...files, ...outsideFiles()].filter(
    ({ path, text }) => path.endsWith('.test.ts') && path !== own && !prints.test(text),
  )
  const found = hits(
    silent,
    /\b(it|test|describe)\.(skip|only|todo)\b|\bx(it|describe)\(|\.skipIf\(|\.runIf\(/,
  )
  expect(found.filter((line) => !/reason|because|SKIPPED/i.test(line))).toEqual([])
})
