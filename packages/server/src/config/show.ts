import { Secret } from '@kaccy/bitcoin/kernel'
import type { Loaded, Source } from './load.ts'
import { envName, SETTINGS, type SettingKey, settingKeys } from './settings.ts'
import { isPostgres } from './value.ts'

export const MASK = '[secret]'
export interface ShownSetting {
  readonly key: SettingKey
  readonly value: string | number | boolean | readonly string[] | null
  readonly source: Source | null
  readonly environment: string
  readonly about: string
}

/** A file as it is; the address of a server without its password. */
export const maskDatabase = (url: string): string => (isPostgres(url) ? maskUrl(url) : url)

/** An address without password, wherever it stands. What cannot be taken apart is not shown at all. */
export function maskUrl(url: string): string {
  if (!URL.canParse(url)) return MASK
  const shown = new URL(url)
  if (shown.password !== '') shown.password = MASK
  for (const name of [...shown.searchParams.keys()])
    if (/pass|key/i.test(name)) shown.searchParams.set(name, MASK)
  return shown.toString().replaceAll(encodeURIComponent(MASK), MASK)
}

/** The effective configuration, a line for each setting, secrets masked. */
export const showConfig = ({ config, sources }: Loaded): ShownSetting[] =>
  settingKeys.map((key) => {
    const value = config[key]
    const shown =
      value instanceof Secret
        ? MASK
        : key === 'database.url'
          ? maskDatabase(String(value))
          : (key === 'node.url' || key === 'api.url') &&
              value !== undefined &&
              /[@?]/.test(String(value))
            ? maskUrl(String(value))
            : (value ?? null)
    return {
      key,
      value: shown,
      source: sources.get(key) ?? null,
      environment: envName(key),
      about: SETTINGS[key].about,
    }
  })
