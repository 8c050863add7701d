import type { SignatureChecker } from './checker.ts'
import type { ScriptError } from './errors.ts'
import { FLAG, type ScriptFlags } from './flags.ts'
import { decodeScriptNumber } from './number.ts'
import { ScriptReader } from './reader.ts'

/** Which rules a script runs under: before segwit, BIP 143, or BIP 342. */
export type ScriptVersion = 'base' | 'witness_v0' | 'tapscript'

/** What a tapscript needs besides the script. Source: BIP 342. */
export interface TapscriptContext {
  readonly leafHash: Uint8Array
  readonly annexHash?: Uint8Array | undefined
  /** Left of 50 plus the size of the witness; each signature that is checked takes 50. */
  budget: number
}

/** How a script runs. */
export type ScriptContext = {
  readonly flags: ScriptFlags
  readonly checker: SignatureChecker
} & (
  | { readonly version: 'base' | 'witness_v0' }
  | { readonly version: 'tapscript'; readonly tapscript: TapscriptContext }
)

const ALL_TRUE = -1
const NO_SEPARATOR = 0xffffffff

/** The open branches of OP_IF. Only whether all are true matters, so the depth of the first false one is all that is kept. */
export class Conditions {
  #depth = 0
  #firstFalse = ALL_TRUE

  get isEmpty(): boolean {
    return this.#depth === 0
  }
  get isExecuting(): boolean {
    return this.#firstFalse === ALL_TRUE
  }
  open(value: boolean): void {
    if (!value && this.isExecuting) this.#firstFalse = this.#depth
    this.#depth += 1
  }
  toggle(): void {
    const top = this.#depth - 1
    if (this.isExecuting) this.#firstFalse = top
    else if (this.#firstFalse === top) this.#firstFalse = ALL_TRUE
  }
  close(): void {
    this.#depth -= 1
    if (this.#firstFalse === this.#depth) this.#firstFalse = ALL_TRUE
  }
}

/** The state of one running script. Elements are never written to, so pushes and copies share memory. */
export class Execution {
  readonly stack: Uint8Array[]
  readonly altStack: Uint8Array[] = []
  readonly conditions = new Conditions()
  readonly reader: ScriptReader
  readonly flags: ScriptFlags
  readonly version: ScriptVersion
  readonly checker: SignatureChecker
  readonly tapscript: TapscriptContext | undefined
  readonly isMinimal: boolean
  /** Opcodes that count towards the limit, and the keys of every multisig. */
  operations = 0
  /** Opcodes read so far. */
  position = 0
  /** Position of the last OP_CODESEPARATOR that ran. */
  codeSeparator = NO_SEPARATOR
  #scriptCode: Uint8Array

  constructor(script: Uint8Array, stack: Uint8Array[], context: ScriptContext) {
    this.stack = stack
    this.reader = new ScriptReader(script)
    this.flags = context.flags
    this.version = context.version
    this.checker = context.checker
    this.tapscript = context.version === 'tapscript' ? context.tapscript : undefined
    this.isMinimal = (context.flags & FLAG.MINIMALDATA) !== 0
    this.#scriptCode = script
  }
  /** The script from behind the last OP_CODESEPARATOR that ran: the same object until the next one. */
  get scriptCode(): Uint8Array {
    return this.#scriptCode
  }
  /** Signatures from here on sign the script from here on. */
  separate(): void {
    this.#scriptCode = this.reader.script.subarray(this.reader.at)
    this.codeSeparator = this.position
  }
  /** The element at `depth`, 1 is the top. The caller has checked that it is there. */
  peek(depth: number): Uint8Array {
    return this.stack[this.stack.length - depth] as Uint8Array
  }
  /** The number at `depth`; undefined when it is no number, which ends the script with UNKNOWN_ERROR. */
  number(depth: number, maxSize?: number): number | undefined {
    return decodeScriptNumber(this.peek(depth), this.isMinimal, maxSize)
  }
  drop(count: number): void {
    this.stack.length -= count
  }
}

/** What an opcode does: nothing is returned where the script goes on. */
export type Operation = (run: Execution) => ScriptError | undefined
