import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { equalBytes } from '../chain/bytes.ts'
import { DevnetError } from '../failure.ts'
import { makeFolder } from '../powers/folder.ts'
import { encodeFrame, MAGIC, readFrames } from './frames.ts'
import { FolderLock } from './lock.ts'
import { decodeRecords, encodeRecords, type LogRecord } from './records.ts'

const FILE = 'devnet.log'
const writeAll = (fd: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done)
  }
}

/** The file that everything is appended to, under the lock of its folder. */
export class Log {
  readonly #folder: string
  readonly #path: string
  readonly #lock: FolderLock
  readonly #fsync: boolean
  #fd: number | undefined
  #length = 0
  #broken: unknown

  /** @throws DevnetError DEVNET_STORAGE_LOCKED. */
  constructor(folder: string, fsync: boolean) {
    makeFolder(folder)
    this.#folder = folder
    this.#path = join(folder, FILE)
    this.#fsync = fsync
    this.#lock = new FolderLock(join(folder, 'devnet.lock'))
  }
  get path(): string {
    return this.#path
  }
  get length(): number {
    return this.#length
  }
  /**
   * The groups of records in the file, oldest first; undefined when there is no file. A torn tail is cut off.
   * @throws DevnetError DEVNET_STORAGE_FORMAT, DEVNET_STORAGE_DAMAGED.
   */
  read(): readonly (readonly LogRecord[])[] | undefined {
    rmSync(`${this.#path}.new`, { force: true })
    if (!existsSync(this.#path)) return undefined
    const { groups, size } = this.again()
    this.#fd = openSync(this.#path, 'r+')
    if (this.#length < size) ftruncateSync(this.#fd, this.#length)
    return groups
  }
  /** The groups in the file as it is now. @throws DevnetError DEVNET_STORAGE_FORMAT, DEVNET_STORAGE_DAMAGED. */
  again(): { readonly groups: readonly (readonly LogRecord[])[]; readonly size: number } {
    const bytes = readFileSync(this.#path)
    if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
      throw new DevnetError('DEVNET_STORAGE_FORMAT', `${this.#path} is not the log of a devnet`)
    }
    const { payloads, length, damage } = readFrames(bytes)
    if (damage) throw this.damaged(`${damage.what}, at byte ${damage.at}`)
    this.#length = length
    return { groups: payloads.map((payload) => this.#decode(payload)), size: bytes.length }
  }
  #decode(payload: Uint8Array): LogRecord[] {
    try {
      return decodeRecords(payload)
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : 'a record'
      throw this.damaged(`a record cannot be read (${what})`, cause)
    }
  }
  damaged(what: string, cause?: unknown): DevnetError {
    const text = `${this.#path} is damaged: ${what}`
    return new DevnetError('DEVNET_STORAGE_DAMAGED', text, undefined, { cause })
  }
  /** Adds one group, as a whole. When it returns, a kill of the process takes nothing back. @throws DevnetError DEVNET_STORAGE_FAILED. */
  append(records: readonly LogRecord[]): void {
    const fd = this.#open()
    const frame = encodeFrame(encodeRecords(records))
    try {
      writeAll(fd, frame, this.#length)
      if (this.#fsync) fdatasyncSync(fd)
    } catch (cause) {
      this.#broken = cause
      throw this.#failed(cause)
    }
    this.#length += frame.length
  }
  /** Puts one group in the place of everything, by a new file and a rename. @throws DevnetError DEVNET_STORAGE_FAILED. */
  replace(records: readonly LogRecord[]): void {
    const draft = `${this.#path}.new`
    const bytes = encodeFrame(encodeRecords(records))
    try {
      const fd = openSync(draft, 'w')
      writeAll(fd, MAGIC, 0)
      writeAll(fd, bytes, MAGIC.length)
      fsyncSync(fd)
      renameSync(draft, this.#path)
      this.#syncFolder()
      if (this.#fd !== undefined) closeSync(this.#fd)
      this.#fd = fd
      this.#length = fstatSync(fd).size
    } catch (cause) {
      this.#broken = cause
      throw this.#failed(cause)
    }
  }
  #syncFolder(): void {
    try {
      const fd = openSync(this.#folder, 'r')
      fsyncSync(fd)
      closeSync(fd)
    } catch {
      // Windows opens no folders; there a rename is as durable as it gets.
    }
  }
  #open(): number {
    // What failed once may stand half in the file: only a new start knows how much of it.
    if (this.#broken !== undefined) throw this.#failed(this.#broken)
    if (this.#fd !== undefined) return this.#fd
    throw new DevnetError('DEVNET_CLOSED', 'this devnet was closed')
  }
  #failed(cause: unknown): DevnetError {
    const why = cause instanceof Error ? cause.message : String(cause)
    return new DevnetError(
      'DEVNET_STORAGE_FAILED',
      `cannot write ${this.#path}: ${why}`,
      undefined,
      {
        cause,
      },
    )
  }
  /** Everything on the disk, and the folder free for others. */
  close(): void {
    if (this.#fd !== undefined) {
      fsyncSync(this.#fd)
      closeSync(this.#fd)
    }
    this.#fd = undefined
    this.#lock.release()
  }
}
