import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What came of one case of a vector file. */
export type CaseRecord = { readonly case: string } & (
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'failed' | 'skipped'; readonly reason: string }
)
/** Nothing: passed. Text: why it failed. `skip`: why it cannot be checked. */
export type Verdict = undefined | string | { readonly skip: string }
export type Case = readonly [name: string, check: () => Verdict]

export interface VectorFile {
  readonly name: string
  readonly text: string
  /** Undefined when the file is not JSON. */
  readonly data: unknown
}
/** One known shape of vector file, recognised by its content and not by its name. */
export interface Shape {
  matches(file: VectorFile): boolean
  cases(file: VectorFile): Iterable<Case>
}

/** A shape that reads JSON of type `T`; the type is believed, a wrong guess fails the case that meets it. */
export const jsonShape = <T>(
  matches: (data: T) => boolean,
  cases: (data: T) => Iterable<Case>,
): Shape => ({
  matches: ({ data }) => {
    try {
      return data !== undefined && matches(data as T)
    } catch {
      return false
    }
  },
  cases: ({ data }) => cases(data as T),
})

/** True when every element has all the fields. */
export const isTable = (data: unknown, ...fields: readonly string[]): boolean =>
  Array.isArray(data) &&
  data.length > 0 &&
  data.every((row) => typeof row === 'object' && row !== null && fields.every((f) => f in row))

/** True when it is an object with all the fields. */
export const isRecord = (data: unknown, ...fields: readonly string[]): boolean =>
  typeof data === 'object' &&
  data !== null &&
  !Array.isArray(data) &&
  fields.every((f) => f in data)

type Sections = Readonly<Record<string, (row: never, index: number) => Verdict>>

/** Cases of an object of named lists; a list that nobody knows is a failing case, not silence. */
export function* sections(
  data: object,
  checks: Sections,
  ignored: readonly string[] = ['note', 'format', 'flags'],
): Generator<Case> {
  for (const [section, rows] of Object.entries(data)) {
    if (ignored.includes(section)) continue
    const check = checks[section]
    if (!check || !Array.isArray(rows)) {
      yield [section, () => 'a section that is not understood']
      continue
    }
    for (const [i, row] of rows.entries()) yield [`${section} ${i}`, () => check(row as never, i)]
  }
}

/** The same cases with a word before their names, where one file has a section of one name twice. */
export function* under(prefix: string, cases: Iterable<Case>): Generator<Case> {
  for (const [name, check] of cases) yield [`${prefix} ${name}`, check]
}

export async function readVectors(dir: string): Promise<VectorFile[]> {
  const names = (await readdir(dir)).filter((name) => name !== 'README.md').sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(dir, name), 'utf8')
      try {
        return { name, text, data: JSON.parse(text) as unknown }
      } catch {
        return { name, text, data: undefined }
      }
    }),
  )
}

function judge(name: string, check: () => Verdict): CaseRecord {
  try {
    const verdict = check()
    if (verdict === undefined) return { case: name, outcome: 'passed' }
    if (typeof verdict === 'string') return { case: name, outcome: 'failed', reason: verdict }
    return { case: name, outcome: 'skipped', reason: verdict.skip }
  } catch (error) {
    return { case: name, outcome: 'failed', reason: `threw ${String(error)}` }
  }
}

/** Runs every file of a folder through the shape it has; exactly one record a case. */
export async function* runShapes(
  dir: string,
  shapes: readonly Shape[],
): AsyncGenerator<CaseRecord> {
  for (const file of await readVectors(dir)) {
    const shape = shapes.find((candidate) => candidate.matches(file))
    if (!shape) {
      yield { case: file.name, outcome: 'failed', reason: 'the shape of this file is not known' }
      continue
    }
    try {
      for (const [name, check] of shape.cases(file)) yield judge(`${file.name} ${name}`, check)
    } catch (error) {
      yield { case: file.name, outcome: 'failed', reason: `cannot be read: ${String(error)}` }
    }
  }
}

/** The value of a result that has to be there. */
export function must<T>(
  result:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: { readonly message: string } },
): T {
  if (!result.ok) throw new Error(`refused: ${result.error.message}`)
  return result.value
}

/** Passed when the result is a refusal. */
export const refused = (result: { readonly ok: boolean }): Verdict =>
  result.ok ? 'was taken, has to be refused' : undefined

/** The first difference between what came and what was expected. */
export function differs(
  pairs: Readonly<Record<string, readonly [actual: unknown, expected: unknown]>>,
): Verdict {
  for (const [what, [actual, expected]] of Object.entries(pairs)) {
    if (actual !== expected) return `${what}: ${String(actual)} instead of ${String(expected)}`
  }
  return undefined
}
