import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { SignerFailure } from '../failure.ts'

/** Makes names in a folder last: a renamed file is not there after a power cut until its folder was synced. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Replaces a file whole or not at all, readable by its owner only, and returns once it is on disk. */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.draft`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeAll(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** A write may take less than it was given. */
export function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

/** @throws SignerFailure for files that others may read or write. */
export function readPrivate(path: string): string {
  if (!existsSync(path)) throw new SignerFailure(`there is no ${path}`)
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new SignerFailure(`${path} is open to others: chmod 600 it`)
  }
  return readFileSync(path, 'utf8')
}
