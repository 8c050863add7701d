import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { DevnetError } from '../failure.ts'

interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process began, where the system tells: a later process with the same number is not the holder. */
  readonly began: string | undefined
}

/** Linux's count of ticks from boot to the start of a process; undefined elsewhere or when it is gone. */
function beganAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    // No /proc here, or no such process: then the number alone has to do.
    return undefined
  }
}
function lives({ pid, host, began }: Holder): boolean {
  // Whether a process of another machine lives cannot be seen from here.
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return began === undefined || began === beganAt(pid)
}
const exists = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST'

/**
 * One process for one folder. The lock is a file that names its holder; one that was killed leaves it behind, and the next
 * process takes it over. @throws DevnetError DEVNET_STORAGE_LOCKED while the holder lives.
 */
export class FolderLock {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
    const { pid } = process
    const mine = JSON.stringify({ pid, host: hostname(), began: beganAt(pid) })
    // Written apart and linked, so that nobody ever reads half a lock.
    const draft = `${path}.${pid}.${randomBytes(4).toString('hex')}`
    writeFileSync(draft, mine)
    try {
      while (!this.#take(draft)) this.#clearAway(draft)
    } finally {
      rmSync(draft, { force: true })
    }
  }
  #take(draft: string): boolean {
    try {
      linkSync(draft, this.#path)
      return true
    } catch (error) {
      if (exists(error)) return false
      throw error
    }
  }
  /** Removes a lock whose holder is gone. @throws DevnetError DEVNET_STORAGE_LOCKED. */
  #clearAway(draft: string): void {
    let found: string
    try {
      found = readFileSync(this.#path, 'utf8')
    } catch {
      // It went away meanwhile: the next try may take it.
      return
    }
    const holder = JSON.parse(found) as Holder
    if (lives(holder)) throw this.#held(holder)
    const aside = `${draft}.old`
    try {
      renameSync(this.#path, aside)
    } catch {
      // Another process cleared it away first.
      return
    }
    const taken = readFileSync(aside, 'utf8')
    // Another process took over between the look and the move: it gets its lock back.
    if (taken !== found) linkSync(aside, this.#path)
    rmSync(aside, { force: true })
    if (taken !== found) throw this.#held(JSON.parse(taken) as Holder)
  }
  #held({ pid, host }: Holder): DevnetError {
    const where = host === hostname() ? '' : ` on ${host}`
    return new DevnetError(
      'DEVNET_STORAGE_LOCKED',
      `process ${pid}${where} uses this folder; if it is gone, remove ${this.#path}`,
    )
  }
  release(): void {
    rmSync(this.#path, { force: true })
  }
}
