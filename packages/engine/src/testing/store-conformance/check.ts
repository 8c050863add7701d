import { AssertionError, EngineError, type ErrorCode } from '../../kernel/index.ts'
import type { Store } from '../../runtime/store.ts'

/** One store under test, empty at first. */
export interface Subject {
  readonly store: Store
  /**
   * The same data through a new store, as after a restart of the process. The first store stays in use: it stands for
   * another process. Absent where nothing survives the process.
   */
  readonly reopen?: () => Promise<Store>
  /** Takes away what the subject needed. */
  dispose?(): Promise<void>
}
export type MakeStore = () => Promise<Subject>

/** One promise of a store. */
export interface Check {
  readonly name: string
  /** @throws AssertionError when the store does not keep the promise. */
  run(): Promise<void>
}

/** What a check does with its subject. */
export type Body = (subject: Subject) => Promise<void>
export type Chapter = Readonly<Record<string, Body>>

/** A value as text that is equal for equal values, whatever the order of keys and the kind of byte array. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `bytes(${[...value].join(' ')})`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${key}: ${show(member)}`)
  return `{${members.join(', ')}}`
}

/** @throws AssertionError with both values unless they are the same. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [ours, theirs] = [show(actual), show(expected)]
  if (ours !== theirs)
    throw new AssertionError(
      `${what}\n  expected ${theirs.slice(0, 2000)}\n  received ${ours.slice(0, 2000)}`,
    )
}

/** @throws AssertionError unless `work` fails with this code (`assertion` for a bug of the caller). */
export async function fails(
  work: () => Promise<unknown>,
  code: ErrorCode | 'assertion' | 'any',
  what: string,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (code === 'any') return
    const got = error instanceof EngineError ? error.code : undefined
    if (code === 'assertion' ? error instanceof AssertionError : got === code) return
    throw new AssertionError(`${what}: failed with another error: ${String(error)}`, {
      cause: error,
    })
  }
  throw new AssertionError(`${what}: nothing was thrown`)
}
