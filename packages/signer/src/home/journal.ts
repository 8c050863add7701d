import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { SignerFailure } from '../failure.ts'
import { replaceFile, writeAll } from './files.ts'
import type { Seal } from './seal.ts'

/** That a transaction was allowed to be signed. Written and synced before any signature leaves. */
export interface Signing {
  /** Milliseconds since the Unix epoch, never before that of an earlier record. */
  readonly at: number
  readonly wallet: string
  readonly tx_hash: string
  readonly nonce: string
  readonly expires_at: number
  /** Payments and fee, in satoshis. */
  readonly spent_sat: number
  /** What it added to the day: less where it replaces a transaction that was counted. */
  readonly counted_sat: number
  /** The coins, as `txid:vout`. */
  readonly coins: readonly string[]
}

export interface Journal {
  readonly records: readonly Signing[]
  /** Returns once the record is on disk for good. @throws SignerFailure when the files are not as this process left them. */
  append(record: Signing): void
  close(): void
}

/** Which file is current, how many records it has, and the mark of the last one. */
interface Head {
  readonly generation: number
  readonly count: number
  readonly mark: string
}

const HEAD = 'journal.head'
const nameOf = (generation: number) => `journal.${generation}.log`
const FIRST = '0'.repeat(64)

const writeHead = (home: string, head: Head, seal: Seal): void => {
  const text = JSON.stringify(head)
  replaceFile(join(home, HEAD), `${seal.mark(text, 'journal')} ${text}\n`)
}

const damaged = (what: string) =>
  new SignerFailure(
    `the journal of signatures ${what}. Limits could be lost, so nothing is signed; see "A damaged journal" in the guide`,
  )

function readHead(home: string, seal: Seal): Head {
  const path = join(home, HEAD)
  if (!existsSync(path)) throw damaged('has no head')
  const whole = readFileSync(path, 'utf8')
  const text = whole.slice(65, -1)
  if (!seal.isMark(text, 'journal', whole.slice(0, 64)))
    throw damaged('has a head that was changed')
  return JSON.parse(text) as Head
}

/** Each line is marked together with the mark before it: none can be changed, taken out or put in. */
const lineOf = (record: string, before: string, seal: Seal): { line: string; mark: string } => {
  const mark = seal.mark(`${before} ${record}`, 'journal')
  return { mark, line: `${mark} ${record}\n` }
}

interface Content {
  readonly records: readonly Signing[]
  readonly marks: readonly string[]
  /** Bytes of whole lines. What lies behind was torn by a crash, before its signature could leave. */
  readonly length: number
}

function readLog(path: string, seal: Seal): Content {
  if (!existsSync(path)) throw damaged('lacks a file')
  const text = readFileSync(path, 'utf8')
  const length = text.lastIndexOf('\n') + 1
  const records: Signing[] = []
  const marks: string[] = []
  for (const line of text.slice(0, length).split('\n').slice(0, -1)) {
    const record = line.slice(65)
    const mark = line.slice(0, 64)
    if (!seal.isMark(`${marks.at(-1) ?? FIRST} ${record}`, 'journal', mark)) {
      throw damaged(`has a changed line ${records.length + 1}`)
    }
    records.push(JSON.parse(record) as Signing)
    marks.push(mark)
  }
  return { records, marks, length: Buffer.byteLength(text.slice(0, length)) }
}

/** Writes a journal without records. */
export function createJournal(home: string, seal: Seal): void {
  startGeneration(home, 1, [], seal)
}

function startGeneration(
  home: string,
  generation: number,
  records: readonly Signing[],
  seal: Seal,
): Head {
  let mark = FIRST
  let text = ''
  for (const record of records) {
    const next = lineOf(JSON.stringify(record), mark, seal)
    mark = next.mark
    text += next.line
  }
  replaceFile(join(home, nameOf(generation)), text)
  const head = { generation, count: records.length, mark }
  // The head last: until it names the new file the old one counts.
  writeHead(home, head, seal)
  return head
}

function removeOthers(home: string, current: number): void {
  for (const name of readdirSync(home)) {
    if (/^journal\.\d+\.log$/.test(name) && name !== nameOf(current)) rmSync(join(home, name))
  }
}

/** Records that nothing asks for any more are left out of the next generation when they are this many, and most. */
const WORTH_IT = 256

/**
 * Opens the journal and checks every line. `isNeeded` says which records still count: the others are left out of a fresh file now and then, so
 * that starting costs the same after years.
 * @throws SignerFailure when a line was changed, or records are missing that were there before.
 */
export function openJournal(
  home: string,
  seal: Seal,
  isNeeded: (record: Signing) => boolean,
): Journal {
  let head = readHead(home, seal)
  let content = readLog(join(home, nameOf(head.generation)), seal)
  const { records, marks } = content
  if (records.length < head.count) throw damaged('has lost records')
  if (head.count > 0 && marks[head.count - 1] !== head.mark) throw damaged('is another one')
  // The last record stays: time never goes back behind it.
  const kept = records.filter((record, i) => isNeeded(record) || i === records.length - 1)
  if (records.length - kept.length >= WORTH_IT && kept.length * 2 < records.length) {
    head = startGeneration(home, head.generation + 1, kept, seal)
    content = readLog(join(home, nameOf(head.generation)), seal)
  }
  removeOthers(home, head.generation)
  const count = content.records.length
  const mark = content.marks.at(-1) ?? FIRST
  return appending(home, { ...head, count, mark }, content, seal)
}

function appending(home: string, start: Head, content: Content, seal: Seal): Journal {
  let head = start
  let { length } = content
  let isBroken = false
  const records = [...content.records]
  const file = openSync(join(home, nameOf(head.generation)), 'a', 0o600)
  ftruncateSync(file, length)
  fsyncSync(file)
  return {
    records,
    append(record) {
      // A second process would count by itself: what lies on disk has to be what this one knows.
      if (isBroken || fstatSync(file).size !== length)
        throw damaged('was written to by another process')
      const { line, mark } = lineOf(JSON.stringify(record), head.mark, seal)
      // Until all is done nobody knows what is on disk: only a new start finds out.
      isBroken = true
      writeAll(file, line)
      fsyncSync(file)
      head = { ...head, count: head.count + 1, mark }
      writeHead(home, head, seal)
      length += Buffer.byteLength(line)
      records.push(record)
      isBroken = false
    },
    close() {
      closeSync(file)
    },
  }
}
