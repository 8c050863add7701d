import { mkdirSync } from 'node:fs'
import { DevnetError } from '../failure.ts'

/** Makes a folder with those above it, where it is not there yet. @throws DevnetError DEVNET_USAGE when it cannot be one. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'there is a file' : (code ?? `${cause}`)
    throw new DevnetError('DEVNET_USAGE', `dir: ${path} cannot be a folder: ${why}`, undefined, {
      cause,
    })
  }
}
