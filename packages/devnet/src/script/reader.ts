import { OP } from './opcodes/names.ts'

const NO_OPCODE = 0xff

/** Walks over a script opcode by opcode without copying anything. */
export class ScriptReader {
  readonly script: Uint8Array
  /** Where the next opcode begins. After a failed `next`, where reading stopped: behind the opcode and its length bytes. */
  at: number
  opcode: number = NO_OPCODE
  #dataStart = 0

  constructor(script: Uint8Array, at = 0) {
    this.script = script
    this.at = at
  }
  /** What the last opcode pushed, sharing memory with the script; empty when it was no push. */
  get data(): Uint8Array {
    return this.script.subarray(this.#dataStart, this.at)
  }
  get dataSize(): number {
    return this.at - this.#dataStart
  }
  /** Steps over one opcode with its data. False at the end, and when a push runs over it. */
  next(): boolean {
    const { script } = this
    this.opcode = NO_OPCODE
    if (this.at >= script.length) return false
    const opcode = script[this.at++] as number
    this.#dataStart = this.at
    if (opcode <= OP.PUSHDATA4) {
      let size = opcode
      if (opcode >= OP.PUSHDATA1) {
        const width = 1 << (opcode - OP.PUSHDATA1)
        if (script.length - this.at < width) return false
        size = 0
        for (let i = width - 1; i >= 0; i--) size = size * 256 + (script[this.at + i] as number)
        this.at += width
        this.#dataStart = this.at
      }
      if (script.length - this.at < size) return false
      this.at += size
    }
    this.opcode = opcode
    return true
  }
}

/** True when the script is well-formed and only pushes; OP_RESERVED counts as a push, as in Core. */
export function isPushOnly(script: Uint8Array): boolean {
  const reader = new ScriptReader(script)
  while (reader.at < script.length) if (!reader.next() || reader.opcode > OP['16']) return false
  return true
}

/** True when the opcode is the shortest way to push this data. Source: BIP 62 rule 3. */
export function isMinimalPush(data: Uint8Array, opcode: number): boolean {
  const size = data.length
  if (size === 0) return opcode === 0
  if (size === 1) {
    const value = data[0] as number
    if ((value >= 1 && value <= 16) || value === 0x81) return false
  }
  if (size < OP.PUSHDATA1) return opcode === size
  if (size <= 0xff) return opcode === OP.PUSHDATA1
  return size > 0xffff || opcode === OP.PUSHDATA2
}

export interface WitnessProgram {
  readonly version: number
  readonly program: Uint8Array
}
/** Version and program of a witness output script. Source: BIP 141. */
export function witnessProgramOf(script: Uint8Array): WitnessProgram | undefined {
  const size = script.length
  if (size < 4 || size > 42 || (script[1] as number) + 2 !== size) return undefined
  const first = script[0] as number
  if (first !== 0 && (first < OP['1'] || first > OP['16'])) return undefined
  return { version: first === 0 ? 0 : first - OP['1'] + 1, program: script.subarray(2) }
}

/** True for `OP_HASH160 <20 bytes> OP_EQUAL`. Source: BIP 16. */
export const isScriptHash = (script: Uint8Array): boolean =>
  script.length === 23 && script[0] === OP.HASH160 && script[1] === 20 && script[22] === OP.EQUAL
