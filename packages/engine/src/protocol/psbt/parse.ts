import { base64 } from '@scure/base'
import { equalBytes, ok, type Result, refuse } from '../../kernel/index.ts'
import type { Transaction, TransactionInput, TransactionOutput } from '../transaction/index.ts'
import { MAGIC } from './fields.ts'
import { lockTimeOf } from './locktime.ts'
import type { Psbt, PsbtInput, PsbtOutput, PsbtRefusal } from './model.ts'
import { MAX_PSBT_PAIRS, MAX_PSBT_SIZE, PairReader, TOO_MANY_PAIRS } from './pairs.ts'
import { type Globals, readGlobals, UNKNOWN_VERSION } from './read-global.ts'
import { readInput } from './read-input.ts'
import { readOutputMap } from './read-output.ts'
import { AMOUNT_FAULT, type Fault } from './values.ts'

const EMPTY = new Uint8Array()

function malformed(where: string, fault: Fault): Result<never, PsbtRefusal> {
  if (fault === TOO_MANY_PAIRS) {
    return refuse('PSBT_TOO_LARGE', `the PSBT ${fault}`, {
      details: { fault: 'too_large', pairs: MAX_PSBT_PAIRS },
    })
  }
  if (fault === UNKNOWN_VERSION) {
    return refuse('PSBT_VERSION_UNKNOWN', `the PSBT ${fault}`, { details: { fault: 'version' } })
  }
  const kind = fault === AMOUNT_FAULT ? 'amount_range' : 'malformed'
  return refuse('PSBT_MALFORMED', `${where} ${fault}`, { details: { fault: kind, map: where } })
}

interface Maps {
  readonly inputs: readonly PsbtInput[]
  readonly outputs: readonly PsbtOutput[]
  readonly spends: readonly TransactionInput[]
  readonly pays: readonly TransactionOutput[]
}

function readMaps(reader: PairReader, globals: Globals): Result<Maps, PsbtRefusal> {
  const { version, inputCount, outputCount } = globals
  // A map is one byte at least: more maps than bytes are refused before room is made for them.
  if (inputCount + outputCount > reader.bytes.length - reader.at) {
    return malformed('the PSBT', 'has fewer maps than it says')
  }
  const inputs: PsbtInput[] = []
  const spends: TransactionInput[] = []
  for (let i = 0; i < inputCount; i++) {
    const map = reader.map()
    const read = typeof map === 'string' ? map : readInput(map, version)
    if (typeof read === 'string') return malformed(`input ${i}`, read)
    inputs.push(read.input)
    if (read.spends) spends.push({ ...read.spends, script: EMPTY, witness: [] })
  }
  const outputs: PsbtOutput[] = []
  const pays: TransactionOutput[] = []
  for (let i = 0; i < outputCount; i++) {
    const map = reader.map()
    const read = typeof map === 'string' ? map : readOutputMap(map, version)
    if (typeof read === 'string') return malformed(`output ${i}`, read)
    outputs.push(read.output)
    if (read.pays) pays.push(read.pays)
  }
  return ok({ inputs, outputs, spends, pays })
}

/** The transaction of a file of version 2, which has it in pieces. */
function assembled(globals: Globals, maps: Maps): Transaction | undefined {
  const { transactionVersion, fallbackLockTime } = globals
  const lockTime = lockTimeOf(maps.inputs, fallbackLockTime)
  if (lockTime === undefined || transactionVersion === undefined) return undefined
  return { version: transactionVersion, inputs: maps.spends, outputs: maps.pays, lockTime }
}

/**
 * Reads a PSBT of version 0 or 2. Strict: every field that a BIP describes has its form, no key stands twice, nothing is left
 * over. It says nothing about whether the content is true: `checkPsbt` does. The bytes may be used again afterwards.
 * Source: BIP 174, 370, 371, 373.
 */
export function parsePsbt(bytes: Uint8Array): Result<Psbt, PsbtRefusal> {
  if (bytes.length > MAX_PSBT_SIZE) return tooLarge(bytes.length)
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    return malformed('the PSBT', 'does not begin as one')
  }
  const reader = new PairReader(bytes.slice(), MAGIC.length)
  const first = reader.map()
  const globals = typeof first === 'string' ? first : readGlobals(first)
  if (typeof first === 'string' || typeof globals === 'string') {
    return malformed('the first map', globals as Fault)
  }
  const maps = readMaps(reader, globals)
  if (!maps.ok) return maps
  if (reader.at !== reader.bytes.length) return malformed('the PSBT', 'has bytes behind its end')
  const transaction = globals.unsigned ?? assembled(globals, maps.value)
  if (!transaction) return malformed('the PSBT', 'has inputs that no lock time can satisfy')
  const { version, xpubs, kept, fallbackLockTime, modifiable } = globals
  const { inputs, outputs } = maps.value
  return ok({
    version,
    transaction,
    inputs,
    outputs,
    xpubs,
    kept,
    layout: first.layout,
    ...(fallbackLockTime === undefined ? {} : { fallbackLockTime }),
    ...(modifiable === undefined ? {} : { modifiable }),
  })
}

const tooLarge = (size: number): Result<never, PsbtRefusal> =>
  refuse('PSBT_TOO_LARGE', `the PSBT has ${size} bytes; at most ${MAX_PSBT_SIZE} are read`, {
    details: { fault: 'too_large', size, most: MAX_PSBT_SIZE },
  })

/** Reads a PSBT in base64, as wallets exchange it. Blanks and line ends around it are taken away, nothing within. */
export function parsePsbtText(text: string): Result<Psbt, PsbtRefusal> {
  if (text.length > (MAX_PSBT_SIZE / 3) * 4 + 1000)
    return tooLarge(Math.floor((text.length / 4) * 3))
  let bytes: Uint8Array
  try {
    bytes = base64.decode(text.trim())
  } catch {
    // The library says no by throwing; what was wrong is of no use to anybody.
    return malformed('the PSBT', 'is not base64')
  }
  return parsePsbt(bytes)
}
