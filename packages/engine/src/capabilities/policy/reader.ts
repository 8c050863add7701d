import { MAX_SAT, type Sat, sat } from '../../kernel/index.ts'
import { isZone } from '../limits/index.ts'

/** Reads a document that nobody has checked: the first fault is kept, with the place where it stands. */
export class Reader {
  fault: { readonly path: string; readonly message: string } | undefined

  no<T>(path: string, message: string, instead: T): T {
    this.fault ??= { path, message }
    return instead
  }

  /** The members of an object, none but these. */
  object(
    value: unknown,
    path: string,
    names: readonly string[],
  ): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.no(path, 'is not an object', {})
    const unknown = Object.keys(value).find((name) => !names.includes(name))
    if (unknown !== undefined) this.no(at(path, unknown), 'is not known here', undefined)
    return value as Readonly<Record<string, unknown>>
  }

  /** The members of an object with names of its author's choice. */
  entries(value: unknown, path: string, most: number): readonly (readonly [string, unknown])[] {
    if (value === undefined) return []
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.no(path, 'is not an object', [])
    const entries = Object.entries(value)
    if (entries.length > most) return this.no(path, `has more than ${most} members`, [])
    for (const [name] of entries) this.name(name, at(path, name))
    return entries
  }

  list<T>(
    value: unknown,
    path: string,
    most: number,
    read: (value: unknown, path: string) => T,
  ): readonly T[] {
    if (!Array.isArray(value)) return this.no(path, 'is not a list', [])
    if (value.length > most) return this.no(path, `has more than ${most} members`, [])
    return value.map((member, i) => read(member, `${path}[${i}]`))
  }

  /** A list that has at least one member, each once. */
  set(
    value: unknown,
    path: string,
    most: number,
    read: (value: unknown, path: string) => string,
  ): readonly string[] {
    const list = this.list(value, path, most, read)
    if (Array.isArray(value) && value.length === 0) this.no(path, 'is empty', undefined)
    if (new Set(list).size !== list.length) this.no(path, 'names something twice', undefined)
    return list
  }

  text(value: unknown, path: string, most = 200): string {
    if (typeof value !== 'string') return this.no(path, 'is not text', '')
    if (value.length < 1 || value.length > most || /[\p{Cc}\p{Cs}]/u.test(value))
      return this.no(path, `is not a line of 1 to ${most} characters`, '')
    return value
  }

  /** What stands in reasons and paths: `large-amounts`. */
  name(value: unknown, path: string): string {
    if (typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/.test(value)) return value
    return this.no(path, 'is not a name of letters, digits, dots, dashes and underscores', '')
  }

  oneOf<T extends string>(value: unknown, path: string, words: readonly T[]): T {
    const word = words.find((one) => one === value)
    return word ?? this.no(path, `is none of ${words.join(', ')}`, words[0] as T)
  }

  whole(value: unknown, path: string, least: number, most: number): number {
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most)
      return Number(value)
    return this.no(path, `is not a whole number from ${least} to ${most}`, least)
  }

  flag(value: unknown, path: string): boolean {
    return typeof value === 'boolean' ? value : this.no(path, 'is neither true nor false', false)
  }

  zone(value: unknown, path: string): string {
    if (typeof value === 'string' && isZone(value)) return value
    return this.no(path, 'is not the name of a time zone, such as Europe/Berlin', 'UTC')
  }

  satoshi(value: unknown, path: string): Sat {
    return sat(BigInt(this.whole(value, path, 0, Number(MAX_SAT))))
  }
}

export const at = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** The object with this key, or without it where the value is absent. */
export const given = <K extends string, V>(
  key: K,
  value: V | undefined,
): { readonly [P in K]?: V } => (value === undefined ? {} : ({ [key]: value } as { [P in K]: V }))
