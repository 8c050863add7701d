import type { Kysely } from 'kysely'
import { AssertionError } from '../../kernel/index.ts'
import type { SqlDialect } from './dialect.ts'
import type { Schema } from './schema.ts'
import type { Session } from './session.ts'

/** What every group of row doors works with. */
export interface Doors {
  readonly db: Kysely<Schema>
  readonly dialect: SqlDialect
  readonly session: Session
}

/** A 64-bit integer of the database as a number. @throws AssertionError beyond 2^53, where a number would lie. */
export function num(value: bigint): number {
  const result = Number(value)
  if (!Number.isSafeInteger(result)) throw new AssertionError(`not a safe integer: ${value}`)
  return result
}
export const int = (value: number): bigint => BigInt(value)
export const flag = (value: boolean): bigint => (value ? 1n : 0n)
export const maybeInt = (value: number | undefined): bigint | null =>
  value === undefined ? null : BigInt(value)

/** The object with this key, or without it where the column is null: an absent thing has no key. */
export const present = <K extends string, V>(
  key: K,
  value: V | null | undefined,
): { readonly [P in K]?: V } =>
  value === null || value === undefined ? {} : ({ [key]: value } as { [P in K]: V })

/** Bytes of the database's own memory become the caller's. */
export const ownBytes = (value: Uint8Array): Uint8Array => Uint8Array.from(value)
