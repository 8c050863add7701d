import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SignerFailure } from '../failure.ts'
import { writeAll } from './files.ts'

export interface Lock {
  isHeld(): boolean
  release(): void
}

const isAlive = (pid: number): boolean => {
  // Nobody: its maker died before it wrote its number.
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return pid !== process.pid
  } catch (error) {
    // Of another user: there all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone in the meantime
  }
}

/**
 * One process at a time counts limits. The file is made exclusively; one that a dead process left is taken away. Should two processes take it away at once, the
 * loser sees before its next signature that the lock is not its own.
 * @throws SignerFailure while another process holds it.
 */
export function takeLock(home: string): Lock {
  const path = join(home, 'lock')
  const own = `${process.pid} ${randomBytes(8).toString('hex')}\n`
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = openSync(path, 'wx', 0o600)
      writeAll(file, own)
      fsyncSync(file)
      closeSync(file)
      return {
        isHeld: () => read(path) === own,
        release: () => {
          if (read(path) === own) rmSync(path, { force: true })
        },
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = Number(read(path).split(' ')[0])
      if (isAlive(holder)) {
        throw new SignerFailure(
          `process ${holder} uses this home already; if that is no signer, remove the file lock`,
        )
      }
      rmSync(path, { force: true })
    }
  }
  throw new SignerFailure('the lock of this home cannot be had')
}
