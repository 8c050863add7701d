import { DevnetError } from '../failure.ts'

const usage = (text: string): DevnetError => new DevnetError('DEVNET_USAGE', text)

/** The members of an options object from outside. @throws DevnetError DEVNET_USAGE for one of another name or type. */
export class Fields {
  readonly all: Readonly<Record<string, unknown>>

  constructor(value: unknown, names: readonly string[]) {
    this.all = (value ?? {}) as Record<string, unknown>
    const strange = Object.keys(this.all).find((name) => !names.includes(name))
    if (strange !== undefined) {
      throw usage(`there is no option ${strange}; there are ${names.join(', ')}`)
    }
  }
  /** `{ [name]: read(value) }` when the member is there and not null, else nothing. */
  pick<const Name extends string, T>(name: Name, read: (value: unknown) => T) {
    return this.pickAs(name, name, read)
  }
  /** The same under another name. */
  pickAs<const Name extends string, T>(name: string, as: Name, read: (value: unknown) => T) {
    const value = this.all[name]
    const picked = value === undefined || value === null ? {} : { [as]: read(value) }
    return picked as { readonly [key in Name]?: T }
  }
  text(name: string): string {
    const value = this.all[name]
    if (typeof value !== 'string') throw usage(`${name} is a string`)
    return value
  }
  flag(name: string): boolean {
    const value = this.all[name]
    if (typeof value !== 'boolean') throw usage(`${name} is true or false`)
    return value
  }
  /** A whole number, not negative. */
  whole(name: string): number {
    const value = this.all[name]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw usage(`${name} is a whole number`)
  }
  texts(name: string): readonly string[] {
    const value = this.all[name]
    if (isTexts(value)) return value
    throw usage(`${name} is a list of strings`)
  }
  textLists(name: string): readonly (readonly string[])[] {
    const value = this.all[name]
    if (Array.isArray(value) && value.every(isTexts)) return value
    throw usage(`${name} is a list of lists of strings`)
  }
}
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')
