import { type TapLeaf, treeRoot } from '../descriptor/taproot.ts'
import {
  type Field,
  fail,
  fieldsOf,
  lone,
  readKeyOrigin,
  readProprietary,
  readTapOrigin,
  readUnknown,
} from './fields.ts'
import { newOutput, type PsbtOutput } from './psbt.ts'
import { Reader } from './reader.ts'

function readTree(bytes: Uint8Array): readonly TapLeaf[] {
  const reader = new Reader(bytes, 'SpanReader')
  if (reader.empty) fail('Output Taproot tree must not be empty')
  const leaves: TapLeaf[] = []
  while (!reader.empty) {
    const depth = reader.u8()
    const version = reader.u8()
    const script = reader.vector()
    if (depth > 128) {
      fail('Output Taproot tree has as leaf greater than Taproot maximum depth')
    }
    if ((version & 1) !== 0) {
      fail('Output Taproot tree has a leaf with an invalid leaf version')
    }
    leaves.push({ depth, version, script })
  }
  if (!treeRoot(leaves)) fail('Output Taproot tree is malformed')
  return leaves
}
function readField(output: PsbtOutput, field: Field, seen: Set<string>): void {
  const { reader } = field
  const alone = (name: string, subject: string): void =>
    lone(
      seen,
      field,
      `Duplicate Key, output ${name} already provided`,
      `${subject} key is more than one byte type`,
    )
  const filled = (bytes: Uint8Array) => (bytes.length > 0 ? bytes : undefined)
  switch (field.type) {
    case 0:
      alone('redeemScript', 'Output redeemScript')
      output.redeemScript = filled(reader.vector())
      return
    case 1:
      alone('witnessScript', 'Output witnessScript')
      output.witnessScript = filled(reader.vector())
      return
    case 2:
      readKeyOrigin(output.keys, field)
      return
    case 5: {
      alone('Taproot internal key', 'Output Taproot internal key')
      const key = reader.sized((from) => from.take(32))
      output.tapInternalKey = key.some((byte) => byte !== 0) ? key : undefined
      return
    }
    case 6:
      alone('Taproot tree', 'Output Taproot tree')
      output.tapTree = readTree(reader.vector())
      return
    case 7:
      readTapOrigin(output.tapOrigins, seen, field, 'Output')
      return
    case 0xfc:
      readProprietary(output.proprietary, field)
      return
    default:
      readUnknown(output.unknown, field)
  }
}
/** The map of one output. @throws PsbtError. */
export function readOutput(reader: Reader): PsbtOutput {
  const output = newOutput()
  const seen = new Set<string>()
  for (const field of fieldsOf(reader, 'Separator is missing at the end of an output map')) {
    readField(output, field, seen)
  }
  return output
}
