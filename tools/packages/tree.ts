import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Entry {
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
}

/** What an installed project consists of. */
export interface Tree {
  /** Packages in `node_modules`, all levels. */
  readonly count: number
  /** Packages that would run code at install. */
  readonly scripts: readonly string[]
  /** Direct dependencies of our packages that are not pinned to one version: `name@range`. */
  readonly loose: readonly string[]
}

/** Reads the lock file that npm wrote for `folder`. */
export function treeOf(folder: string): Tree {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Entry>>
  }
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '')
  return {
    count: entries.length,
    scripts: entries.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path),
    loose: entries
      .filter(([path]) => path.startsWith('node_modules/@kaccy/'))
      .flatMap(([, { dependencies }]) => Object.entries(dependencies ?? {}))
      .filter(([, range]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))
      .map(([name, range]) => `${name}@${range}`),
  }
}
