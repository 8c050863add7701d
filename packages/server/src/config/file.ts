import { existsSync, readFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { ok, type Refusal, type Result, refuse } from '@kaccy/bitcoin/kernel'
import {
  isJsonObject,
  JsonNumber,
  type JsonObject,
  type JsonValue,
  parseJson,
} from '@kaccy/bitcoin/protocol/json'
import { parse as parseToml, TomlDate, TomlError, type TomlValue } from 'smol-toml'

/** Files that are read without being named, where they lie in the folder. */
export const CONFIG_FILES = ['kaccy.json', 'kaccy.toml'] as const
type FileRefusal = Refusal<'CONFIG_FILE_UNREADABLE' | 'CONFIG_CONFLICT'>

/** The file to read; undefined when nobody named one and none lies there. Two are one too many: nobody could say which counts. */
export function findConfigFile(
  named: string | undefined,
  folder: string,
): Result<string | undefined, FileRefusal> {
  if (named !== undefined) return ok(resolve(folder, named))
  const there = CONFIG_FILES.map((name) => resolve(folder, name)).filter((path) => existsSync(path))
  const [path, second] = there
  if (second === undefined) return ok(path)
  return refuse('CONFIG_CONFLICT', `${path} and ${second} are both there: keep one of them`, {
    param: 'config',
  })
}

/** Reads JSON, or TOML where the name ends so; both give the same values. */
export function readConfigObject(path: string): Result<JsonObject, FileRefusal> {
  const isToml = extname(path).toLowerCase() === '.toml'
  const no = (reason: string) =>
    refuse('CONFIG_FILE_UNREADABLE', `${path} ${reason}`, { details: { path } })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return unreadable(path, error)
  }
  if (isToml) return readToml(text, no)
  const parsed = parseJson(text, 4)
  if (!parsed.ok) return no(`is not strict JSON: ${parsed.error.message}`)
  return isJsonObject(parsed.value) ? ok(parsed.value) : no('is not a JSON object')
}

type No = (reason: string) => { readonly ok: false; readonly error: FileRefusal }

function readToml(text: string, no: No): Result<JsonObject, FileRefusal> {
  try {
    return ok(plainTable(parseToml(text, { integersAsBigInt: true, maxDepth: 4 })))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The rest of the message shows lines of the file, and a secret may stand there.
    const [reason = ''] = error.message.split('\n')
    return no(`is not TOML: ${reason} (line ${error.line}, column ${error.column})`)
  }
}

const plainTable = (table: Readonly<Record<string, TomlValue>>): JsonObject =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [name, plainValue(value)]))

/** TOML's values as JSON's. Fractions and dates are nothing that a setting takes, so they become nothing. */
function plainValue(value: TomlValue): JsonValue {
  if (typeof value === 'bigint') return new JsonNumber(`${value}`)
  if (typeof value === 'number' || value instanceof TomlDate) return null
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value === 'object') return plainTable(value)
  return value
}

export function unreadable(path: string, error: unknown) {
  const reason = (error as NodeJS.ErrnoException).code ?? 'it cannot be read'
  return refuse('CONFIG_FILE_UNREADABLE', `${path} cannot be read: ${reason}`, {
    details: { path, reason },
  })
}
