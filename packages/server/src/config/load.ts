import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ok, type Refusal, type Result, refuse, Secret } from '@kaccy/bitcoin/kernel'
import { isJsonObject, type JsonObject } from '@kaccy/bitcoin/protocol/json'
import { findConfigFile, readConfigObject, unreadable } from './file.ts'
import {
  type Config,
  envName,
  isSettingKey,
  SETTINGS,
  type SettingKey,
  settingKeys,
} from './settings.ts'
import { type Reading, readJson, readText, type SettingValue } from './value.ts'

/** Where a value came from, from the weakest to the strongest. */
export const SOURCES = ['default', 'file', 'environment', 'flag'] as const
export type Source = (typeof SOURCES)[number]
export interface Loaded {
  readonly config: Config
  readonly sources: ReadonlyMap<SettingKey, Source>
  /** The configuration file that was read. */
  readonly file?: string
}
export interface LoadInput {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By setting key; `undefined` where the flag was not given. Secrets come by their `_file` key only. */
  readonly flags: Readonly<Record<string, string | undefined>>
  /** Named file; without one `kaccy.json` or `kaccy.toml` in `folder` is read where it exists. */
  readonly file?: string | undefined
  readonly folder: string
}
export type ConfigRefusal = Refusal<
  | 'CONFIG_KEY_UNKNOWN'
  | 'CONFIG_VALUE_INVALID'
  | 'CONFIG_VALUE_MISSING'
  | 'CONFIG_CONFLICT'
  | 'CONFIG_FILE_UNREADABLE'
>

/** Names that begin like settings and mean something else: the last two are read by `kaccy-signer`. */
const OTHER_NAMES: readonly string[] = [
  'KACCY_CONFIG',
  'KACCY_SIGNER_HOME',
  'KACCY_SIGNER_PASSPHRASE_FILE',
]

interface Found {
  readonly key: SettingKey
  readonly source: Source
  readonly value: SettingValue
}
type Answer<T> = Result<T, ConfigRefusal>

/** Merges defaults, file, environment and flags, each stronger than the one before. Nothing is read that nobody named. */
export function loadConfig(input: LoadInput): Answer<Loaded> {
  const there = findConfigFile(input.file ?? input.environment['KACCY_CONFIG'], input.folder)
  if (!there.ok) return there
  const file = there.value
  const fromFile = file === undefined ? ok([]) : readConfigFile(file)
  if (!fromFile.ok) return fromFile
  const fromEnvironment = readEnvironment(input.environment, input.folder)
  if (!fromEnvironment.ok) return fromEnvironment
  const fromFlags = readFlags(input.flags, input.folder)
  if (!fromFlags.ok) return fromFlags
  const layers = [defaults(input.folder), fromFile.value, fromEnvironment.value, fromFlags.value]
  const merged = new Map<SettingKey, Found>()
  for (const found of layers.flat()) merged.set(found.key, found)
  const clash = layers.map(givenTwice).find((refusal) => refusal) ?? settleAccess(merged)
  if (clash) return { ok: false, error: clash }
  const values = [...merged.values()].map(({ key, value }) => [key, value])
  return ok({
    config: Object.fromEntries(values) as Config,
    sources: new Map([...merged].map(([key, { source }]) => [key, source])),
    ...(file === undefined ? {} : { file }),
  })
}

const defaults = (folder: string): Found[] =>
  settingKeys.flatMap((key) => {
    const { kind, fallback } = SETTINGS[key] as { kind: string; fallback?: SettingValue }
    if (fallback === undefined) return []
    return [
      {
        key,
        source: 'default',
        value: kind === 'database' ? resolve(folder, String(fallback)) : fallback,
      },
    ]
  })

function readConfigFile(path: string): Answer<Found[]> {
  const root = readConfigObject(path)
  if (!root.ok) return root
  const found: Found[] = []
  for (const [name, value] of flatten(root.value)) {
    const read = place(name, 'file', (key, isFile) =>
      isFile
        ? readText(
            { kind: 'path', about: '' },
            typeof value === 'string' ? value : '',
            dirname(path),
          )
        : readJson(SETTINGS[key], value, dirname(path)),
    )
    if (!read.ok) return read
    found.push(read.value)
  }
  return ok(found)
}

const flatten = (root: JsonObject): [string, JsonObject[string]][] =>
  Object.entries(root).flatMap(([name, value]) =>
    isJsonObject(value)
      ? Object.entries(value).map(([inner, own]): [string, typeof own] => [`${name}.${inner}`, own])
      : [[name, value]],
  )

function readEnvironment(environment: LoadInput['environment'], folder: string): Answer<Found[]> {
  const byName = new Map<string, string>()
  for (const key of settingKeys) {
    byName.set(envName(key), key)
    if (SETTINGS[key].kind === 'secret') byName.set(envName(`${key}_file`), `${key}_file`)
  }
  const found: Found[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith('KACCY_') || OTHER_NAMES.includes(name)) continue
    const key = byName.get(name)
    if (key === undefined) return unknown(name, [...byName.keys()])
    const read = place(key, 'environment', (own, isFile) =>
      readText(isFile ? { kind: 'path', about: '' } : SETTINGS[own], text, folder),
    )
    if (!read.ok) return read
    found.push(read.value)
  }
  return ok(found)
}

function readFlags(flags: LoadInput['flags'], folder: string): Answer<Found[]> {
  const found: Found[] = []
  for (const [key, text] of Object.entries(flags)) {
    if (text === undefined) continue
    const read = place(key, 'flag', (own, isFile) =>
      readText(isFile ? { kind: 'path', about: '' } : SETTINGS[own], text, folder),
    )
    if (!read.ok) return read
    found.push(read.value)
  }
  return ok(found)
}

/** Finds the setting of a name, reads its value, and takes a secret out of its file. */
function place(
  name: string,
  source: Source,
  read: (key: SettingKey, isFile: boolean) => Reading,
): Answer<Found> {
  const secret = name.endsWith('_file') ? name.slice(0, -'_file'.length) : ''
  const isFile = isSettingKey(secret) && SETTINGS[secret].kind === 'secret'
  const key = isFile ? secret : name
  if (!isSettingKey(key)) return unknown(name, settingKeys)
  const reading = read(key, isFile)
  if ('reason' in reading)
    return refuse('CONFIG_VALUE_INVALID', `${name} (${source}) ${reading.reason}`, { param: name })
  if (!isFile) return ok({ key, source, value: reading.value })
  const path = String(reading.value)
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    if (text !== '') return ok({ key, source, value: new Secret(text) })
    return refuse('CONFIG_FILE_UNREADABLE', `${path} is empty`, { param: name })
  } catch (error) {
    return unreadable(path, error)
  }
}

function unknown(name: string, known: readonly string[]) {
  const near = known.find((other) => other.replace(/[._]/g, '') === name.replace(/[._]/g, ''))
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return refuse('CONFIG_KEY_UNKNOWN', `nothing reads ${name}${hint}`, { param: name })
}

/** A secret and the file of the same secret, of one strength: which one counts is nothing to guess. */
function givenTwice(layer: readonly Found[]): ConfigRefusal | undefined {
  const keys = layer.map(({ key }) => key)
  const twice = keys.find((key, at) => keys.indexOf(key) !== at)
  if (twice === undefined) return undefined
  return refuse('CONFIG_CONFLICT', `${twice} and ${twice}_file are both given`, { param: twice })
    .error
}

/** Cookie or user: the stronger source decides, two of one strength contradict each other. */
function settleAccess(merged: Map<SettingKey, Found>): ConfigRefusal | undefined {
  const cookie = merged.get('node.cookie_file')
  const user = merged.get('node.user')
  if (cookie && user) {
    const strength = SOURCES.indexOf(cookie.source) - SOURCES.indexOf(user.source)
    if (strength === 0)
      return refuse('CONFIG_CONFLICT', 'node.cookie_file and node.user are both given', {
        param: 'node.user',
      }).error
    if (strength > 0) for (const key of ['node.user', 'node.password'] as const) merged.delete(key)
    else merged.delete('node.cookie_file')
  }
  if (merged.has('node.user') && !merged.has('node.password'))
    return refuse('CONFIG_VALUE_MISSING', 'node.user is given without node.password', {
      param: 'node.password',
    }).error
  return undefined
}
