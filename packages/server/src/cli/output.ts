import { accessSync, constants, createWriteStream, existsSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Context } from './context.ts'

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

/** Text to the file of `--output` or to standard output, piece by piece, as it is. */
export async function emit(context: Context, pieces: AsyncIterable<string>): Promise<void> {
  const file = context.text('output')
  if (file === undefined) {
    for await (const piece of pieces) context.shell.stdout.write(piece)
    return
  }
  const path = resolve(context.shell.folder, file)
  writableOrThrow(path)
  await pipeline(pieces, createWriteStream(path, { mode: 0o600 }))
}

/** @throws EngineError USAGE_INVALID when the file cannot be read */
export async function readInput(context: Context, file: string): Promise<string> {
  const path = file === '-' ? file : resolve(context.shell.folder, file)
  try {
    return await context.shell.readText(path)
  } catch (error) {
    throw new EngineError('USAGE_INVALID', `${path} cannot be read`, { cause: error })
  }
}

/** The same for what is no text. @throws EngineError USAGE_INVALID when the file cannot be read */
export async function readInputBytes(context: Context, file: string): Promise<Uint8Array> {
  const path = file === '-' ? file : resolve(context.shell.folder, file)
  try {
    return await context.shell.readBytes(path)
  } catch (error) {
    throw new EngineError('USAGE_INVALID', `${path} cannot be read`, { cause: error })
  }
}

/** Bytes to the file of `--output`, for its owner alone. */
export function emitBytes(context: Context, file: string, bytes: Uint8Array): void {
  const path = resolve(context.shell.folder, file)
  writableOrThrow(path)
  writeFileSync(path, bytes, { mode: 0o600 })
}
