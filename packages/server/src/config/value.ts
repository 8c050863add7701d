import { isAbsolute, resolve } from 'node:path'
import { Secret } from '@kaccy/bitcoin/kernel'
import {
  isJsonArray,
  type JsonArray,
  type JsonValue,
  jsonInteger,
} from '@kaccy/bitcoin/protocol/json'
import type { Setting } from './settings.ts'

export type SettingValue = string | number | boolean | readonly string[] | Secret<string>
/** A value that can be used, or why it cannot. */
export type Reading = { readonly value: SettingValue } | { readonly reason: string }

const TRUE = ['true', '1', 'yes', 'on']
const FALSE = ['false', '0', 'no', 'off']

/** `postgres://…` and `postgresql://…` are servers; everything else is a file. */
export const isPostgres = (database: string): boolean => /^postgres(ql)?:\/\//.test(database)

/** Reads one setting from text, as the environment and flags give it. @param base folder that relative paths start from */
export function readText(setting: Setting, text: string, base: string): Reading {
  if (text === '') return { reason: 'is empty' }
  const { kind, choices, from = 0, to = Number.MAX_SAFE_INTEGER } = setting
  if (choices && !choices.includes(text)) return { reason: `is none of ${choices.join(', ')}` }
  if (kind === 'secret') return { value: new Secret(text) }
  if (kind === 'flag') {
    if (TRUE.includes(text)) return { value: true }
    return FALSE.includes(text) ? { value: false } : { reason: 'is neither true nor false' }
  }
  if (kind === 'integer') {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    const fits = Number.isSafeInteger(value) && value >= from && value <= to
    return fits ? { value } : { reason: `is no whole number from ${from} to ${to}` }
  }
  if (kind === 'list') return { value: text.split(',').map((item) => item.trim()) }
  if (kind === 'database' && /^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !isPostgres(text))
    return { reason: 'is neither a file nor a postgres:// address' }
  const isFile = kind === 'path' || (kind === 'database' && !isPostgres(text))
  if (!isFile || text === ':memory:' || isAbsolute(text)) return { value: text }
  return { value: resolve(base, text) }
}

/** Reads one setting from the configuration file, where numbers, booleans and lists are JSON's own. */
export function readJson(setting: Setting, value: JsonValue, base: string): Reading {
  const { kind } = setting
  if (typeof value === 'boolean')
    return kind === 'flag' ? { value } : { reason: 'is true or false where something else belongs' }
  if (kind === 'flag') return { reason: 'is neither true nor false' }
  if (kind === 'list') {
    const items = isJsonArray(value) ? value.filter((item) => typeof item === 'string') : undefined
    const whole = items && items.length === (value as JsonArray).length
    return whole ? { value: items } : { reason: 'is no list of texts' }
  }
  if (typeof value === 'string')
    return kind === 'integer' ? { reason: 'is text, not a number' } : readText(setting, value, base)
  const number = jsonInteger(value)
  if (kind === 'integer' && number !== undefined) return readText(setting, `${number}`, base)
  return { reason: kind === 'integer' ? 'is no whole number' : 'is no text' }
}
