import { AssertionError } from '../../kernel/index.ts'
import { joinBytes, readScript } from '../script/index.ts'
import {
  compactSizeLength,
  doubleSha256,
  type Transaction,
  writeCompactSize,
  writeUint32,
} from '../transaction/index.ts'
import { outputBytes, sizedLength, writeSized } from './bytes.ts'
import { isAnyoneCanPay, outputKind, SIGHASH } from './hash-type.ts'

const CODESEPARATOR = 0xab
/** What is signed by SIGHASH_SINGLE where no output has the number of the input: a known flaw that is part of consensus. */
const ONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
/** An output that SIGHASH_SINGLE leaves open: amount -1, no script. */
const OPEN_OUTPUT = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0)
const EMPTY = new Uint8Array()

/** OP_CODESEPARATOR is never signed. A script that cannot be read to its end is never spent; its hash means nothing. */
function withoutSeparators(script: Uint8Array): Uint8Array {
  if (!script.includes(CODESEPARATOR)) return script
  const steps = readScript(script)
  if (!steps.ok) return script
  const parts: Uint8Array[] = []
  let at = 0
  let from = 0
  for (const { opcode, data } of steps.value) {
    const width = opcode < 0x4c ? 1 : opcode <= 0x4e ? 1 + 2 ** (opcode - 0x4c) : 1
    const end = at + width + (data?.length ?? 0)
    if (opcode === CODESEPARATOR) {
      parts.push(script.subarray(from, at))
      from = end
    }
    at = end
  }
  return joinBytes(...parts, script.subarray(from))
}

interface Covered {
  readonly inputs: readonly number[]
  readonly outputs: Uint8Array
  readonly outputCount: number
}

function covered({ inputs, outputs }: Transaction, input: number, hashType: number): Covered {
  const all = isAnyoneCanPay(hashType) ? [input] : inputs.map((_, i) => i)
  const kind = outputKind(hashType)
  if (kind === SIGHASH.NONE) return { inputs: all, outputs: EMPTY, outputCount: 0 }
  if (kind !== SIGHASH.SINGLE) {
    return { inputs: all, outputs: outputBytes(outputs), outputCount: outputs.length }
  }
  const open = new Array<Uint8Array>(input).fill(OPEN_OUTPUT)
  const single = outputBytes(outputs.slice(input, input + 1))
  return { inputs: all, outputs: joinBytes(...open, single), outputCount: input + 1 }
}

/**
 * The hash that a signature without witness signs.
 * @throws AssertionError for an input that is not there. Source: Bitcoin Core, SignatureHash.
 */
export function legacyHash(
  transaction: Transaction,
  outPoints: Uint8Array,
  input: number,
  scriptCode: Uint8Array,
  hashType: number,
): Uint8Array {
  if (!transaction.inputs[input]) throw new AssertionError(`no input ${input}`)
  const kind = outputKind(hashType)
  if (kind === SIGHASH.SINGLE && input >= transaction.outputs.length) return ONE.slice()
  const code = withoutSeparators(scriptCode)
  const { inputs, outputs, outputCount } = covered(transaction, input, hashType)
  const isOthersOpen = kind === SIGHASH.NONE || kind === SIGHASH.SINGLE
  const length = 4 + compactSizeLength(inputs.length) + 41 * inputs.length - 1 + sizedLength(code)
  const bytes = new Uint8Array(length + compactSizeLength(outputCount) + outputs.length + 8)
  let at = writeCompactSize(bytes, writeUint32(bytes, 0, transaction.version), inputs.length)
  for (const i of inputs) {
    bytes.set(outPoints.subarray(36 * i, 36 * i + 36), at)
    at = writeSized(bytes, at + 36, i === input ? code : EMPTY)
    const sequence = transaction.inputs[i]?.sequence ?? 0
    at = writeUint32(bytes, at, i !== input && isOthersOpen ? 0 : sequence)
  }
  at = writeCompactSize(bytes, at, outputCount)
  bytes.set(outputs, at)
  writeUint32(bytes, writeUint32(bytes, at + outputs.length, transaction.lockTime), hashType)
  return doubleSha256(bytes)
}
