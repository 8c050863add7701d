import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { EngineError } from '@kaccy/bitcoin/kernel'

/** @throws EngineError USAGE_INVALID when nothing can be written there: said before the work, not after it */
export function writableOrThrow(path: string): void {
  const place = existsSync(path) ? path : dirname(path)
  try {
    accessSync(place, constants.W_OK)
  } catch (cause) {
    throw new EngineError('USAGE_INVALID', `--output: ${path} cannot be written`, {
      details: { param: '--output', path },
      cause,
    })
  }
}
