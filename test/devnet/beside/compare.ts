import {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  JsonNumber,
  type JsonObject,
  type JsonValue,
  parseJson,
} from '@kaccy/bitcoin/protocol/json'

/** A place where two answers are not the same text. */
export interface Finding {
  /** Method or path that was asked. */
  readonly call: string
  /** Place inside the answer; members of every array are `[]`. */
  readonly path: string
  readonly core: string
  readonly devnet: string
  /** The whole question, for whoever looks for it. */
  readonly asked: string
}
type Place = Pick<Finding, 'path' | 'core' | 'devnet'>

const ABSENT = '(absent)'
const read = (text: string): JsonValue | undefined => {
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : undefined
}
/** A value as it stands in the text: numbers keep their digits. */
function show(value: JsonValue | undefined): string {
  if (value === undefined) return ABSENT
  if (value instanceof JsonNumber) return value.text
  if (isJsonArray(value)) return `[${value.map(show).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)}:${show(each)}`,
  )
  return `{${members.join(',')}}`
}
/** Says of which arrays only the members are compared, not their order. */
export type Unordered = (path: string) => boolean

class Comparison {
  readonly places: Place[] = []
  /** Arrays that had the same members in another order. */
  readonly reordered = new Set<string>()
  readonly #unordered: Unordered

  constructor(unordered: Unordered) {
    this.#unordered = unordered
  }
  walk(path: string, core: JsonValue, devnet: JsonValue): void {
    if (isJsonArray(core) && isJsonArray(devnet)) this.#arrays(path, core, devnet)
    else if (isJsonObject(core) && isJsonObject(devnet)) this.#members(path, core, devnet)
    else this.#note(path, show(core), show(devnet))
  }
  #note(path: string, core: string, devnet: string): void {
    if (core !== devnet) this.places.push({ path, core, devnet })
  }
  #arrays(path: string, core: JsonArray, devnet: JsonArray): void {
    if (core.length !== devnet.length) {
      this.#note(`${path}[length]`, show(core), show(devnet))
      return
    }
    const isFree = show(core) !== show(devnet) && this.#unordered(path)
    if (isFree) this.reordered.add(path)
    const [one, other] = isFree ? [sorted(core), sorted(devnet)] : [core, devnet]
    for (const [at, each] of one.entries()) this.walk(`${path}[]`, each, other[at] ?? null)
  }
  #members(path: string, core: JsonObject, devnet: JsonObject): void {
    const shared = (one: object, other: object) =>
      Object.keys(one).filter((name) => Object.hasOwn(other, name))
    this.#note(`${path}{order}`, shared(core, devnet).join(), shared(devnet, core).join())
    for (const name of new Set([...Object.keys(core), ...Object.keys(devnet)])) {
      const inner = path === '' ? name : `${path}.${name}`
      const [one, other] = [core[name], devnet[name]]
      if (one !== undefined && other !== undefined) this.walk(inner, one, other)
      else this.#note(inner, show(one), show(other))
    }
  }
}
/** By what does not depend on order inside: the digits of every member, sorted. */
const sortKey = (value: JsonValue): string => [...show(value)].sort().join('')
const sorted = (list: JsonArray): JsonArray =>
  [...list].sort((a, b) => compareText(sortKey(a), sortKey(b)) || compareText(show(a), show(b)))
const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/** Where two bodies differ, and in which arrays only by order; nothing when they are the same text. */
export function differencesOf(
  core: string,
  devnet: string,
  unordered: Unordered,
): Pick<Comparison, 'places' | 'reordered'> {
  const comparison = new Comparison(unordered)
  if (core === devnet) return comparison
  const [one, other] = [read(core), read(devnet)]
  if (one !== undefined && other !== undefined) comparison.walk('', one, other)
  const { places, reordered } = comparison
  // Equal values in another text, or no JSON at all.
  if (places.length === 0 && reordered.size === 0) places.push({ path: '(text)', core, devnet })
  return comparison
}
