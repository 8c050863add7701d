import type { TransactionOutput } from '../chain/transaction.ts'
import { DescriptorError } from '../descriptor/error.ts'
import { parseDescriptor } from '../descriptor/parse.ts'
import { Provider } from '../descriptor/provider.ts'
import { analyze } from '../psbt/analyze.ts'
import { decodePsbt } from '../psbt/decode.ts'
import { encodePsbt } from '../psbt/encode.ts'
import { combine, joinAll } from '../psbt/merge.ts'
import { isFinal, newPsbt, type Psbt, PsbtError } from '../psbt/psbt.ts'
import {
  dropPreviousTransactions,
  extract,
  finalize,
  signInput,
  signingOf,
  unsignedInputs,
  updateOutput,
} from '../psbt/update.ts'
import { toHex } from '../chain/bytes.ts'
import { classifyScript } from '../script/script.ts'
import { constructTransaction, looseTransaction } from './construct.ts'
import { rangeArgument } from './descriptors.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { type Method, method, type RpcContext } from './method.ts'
import { analysisView, psbtView } from './psbt-view.ts'
import { kindOf, listValue, sighashValue, textValue } from './values.ts'

/** @throws RpcError -22 in Core's words, whatever the text is. */
export function psbtArgument(value: unknown): Psbt {
  try {
    return decodePsbt(textValue(value))
  } catch (fault) {
    if (!(fault instanceof PsbtError)) throw fault
    throw rpcError('deserialization', `TX decode failed ${fault.message}`)
  }
}
function finalizePsbt(args: readonly unknown[]): Json {
  const psbt = psbtArgument(args[0])
  const complete = finalize(psbt)
  if (complete && args[1] !== false) return { hex: toHex(extract(psbt).raw), complete }
  return { psbt: encodePsbt(psbt), complete }
}
function combinePsbts(list: readonly unknown[]): Json {
  if (list.length === 0) throw rpcError('invalidParameter', "Parameter 'txs' cannot be empty")
  const combined = combine(list.map(psbtArgument))
  if (combined) return encodePsbt(combined)
  throw rpcError('invalidParameter', 'PSBTs not compatible (different transactions)')
}
function joinPsbts(list: readonly unknown[]): Json {
  if (list.length <= 1) {
    throw rpcError('invalidParameter', 'At least two PSBTs are required to join PSBTs.')
  }
  const joined = joinAll(list.map(psbtArgument))
  if ('inputs' in joined) return encodePsbt(joined)
  const { txid, vout } = joined
  throw rpcError('invalidParameter', `Input ${txid}:${vout} exists in multiple PSBTs`)
}
function convertToPsbt(args: readonly unknown[]): Json {
  const transaction = looseTransaction(args[0])
  const signed = transaction.inputs.some(
    ({ script, witness }) => script.length > 0 || witness.length > 0,
  )
  if (signed && args[1] !== true) {
    const fault = 'Inputs must not have scriptSigs and scriptWitnesses'
    throw rpcError('deserialization', fault)
  }
  return encodePsbt(newPsbt(transaction))
}

/** What descriptors tell of keys and scripts: text, or `{ desc, range }`. @throws RpcError -5, -8. */
function descriptorKnowledge(list: readonly unknown[]): Provider {
  const known = new Provider()
  for (const item of list) {
    const object = typeof item === 'string' ? { desc: item } : item
    if (kindOf(object) !== 'object') {
      const fault = 'Scan object needs to be either a string or an object'
      throw rpcError('invalidParameter', fault)
    }
    const { desc, range } = object as { readonly desc?: unknown; readonly range?: unknown }
    if (desc === undefined) {
      throw rpcError('invalidParameter', 'Descriptor needs to be provided in scan object')
    }
    try {
      const descriptor = parseDescriptor(textValue(desc))
      const [begin, end] = descriptor.ranged
        ? range === undefined
          ? [0, 1000]
          : rangeArgument(range)
        : [0, 0]
      for (let index = begin; index <= end; index++) descriptor.expand(index, known)
    } catch (fault) {
      if (!(fault instanceof DescriptorError)) throw fault
      throw rpcError('invalidAddressOrKey', fault.message)
    }
  }
  return known
}
const isSegwit = (script: Uint8Array, known: Provider): boolean => {
  const { kind, version, data } = classifyScript(script)
  if (version >= 0) return true
  const inner = kind === 'scripthash' ? known.scripts.get(toHex(data)) : undefined
  return inner !== undefined && classifyScript(inner).version >= 0
}
function fillFromChain({ regtest }: RpcContext, psbt: Psbt, known: Provider): void {
  const { chain, mempool } = regtest
  psbt.inputs.forEach((input, at) => {
    const outpoint = psbt.transaction.inputs[at]
    if (!outpoint || input.nonWitnessUtxo) return
    const place = chain.index.get(outpoint.txid)
    const found =
      (place && chain.blocks.get(place.hash)?.transactions[place.position]) ??
      mempool.pool.entries.get(outpoint.txid)?.transaction
    if (found && outpoint.vout < found.outputs.length) {
      input.nonWitnessUtxo = found
      return
    }
    const coin: TransactionOutput | undefined = chain.coins.get(outpoint.key)
    if (coin && isSegwit(coin.script, known)) {
      input.witnessUtxo = { value: coin.value, script: coin.script }
    }
  })
}
function processPsbt(
  context: RpcContext,
  psbt: Psbt,
  known: Provider,
  options: { readonly type: number; readonly finalize: boolean },
): void {
  fillFromChain(context, psbt, known)
  const signing = signingOf(psbt)
  psbt.inputs.forEach((input, index) => {
    if (!isFinal(input)) signInput(psbt, index, known, signing, options)
  })
  for (let index = 0; index < psbt.outputs.length; index++) updateOutput(psbt, index, known)
  dropPreviousTransactions(psbt, 1)
}
function utxoUpdate(context: RpcContext, args: readonly unknown[]): Json {
  const known = descriptorKnowledge(args[1] === undefined ? [] : listValue(args[1]))
  const psbt = psbtArgument(args[0])
  const options = { type: 1, finalize: false }
  processPsbt(context, psbt, known.hiding({ secrets: true }), options)
  return encodePsbt(psbt)
}
function descriptorProcess(context: RpcContext, args: readonly unknown[]): Json {
  const known = descriptorKnowledge(listValue(args[1]))
  const psbt = psbtArgument(args[0])
  const type = sighashValue(args[2])
  const shown = known.hiding({ origins: args[3] === false })
  processPsbt(context, psbt, shown, { type, finalize: args[4] !== false })
  const complete = unsignedInputs(psbt) === 0
  const text = encodePsbt(psbt)
  return { psbt: text, complete, hex: complete ? toHex(extract(psbt).raw) : undefined }
}

export const psbtMethods: readonly Method[] = [
  method('decodepsbt', ['psbt:string'], (_, [text]) => psbtView(psbtArgument(text))),
  method('analyzepsbt', ['psbt:string'], (_, [text]) => analysisView(analyze(psbtArgument(text)))),
  method('combinepsbt', ['txs:array'], (_, [list]) => combinePsbts(listValue(list))),
  method('joinpsbts', ['txs:array'], (_, [list]) => joinPsbts(listValue(list))),
  method('finalizepsbt', ['psbt:string', 'extract:bool?'], (_, args) => finalizePsbt(args)),
  method(
    'createpsbt',
    ['inputs:array', 'outputs:any', 'locktime:number?', 'replaceable:bool?'],
    (_, [inputs, outputs, locktime, replaceable]) =>
      encodePsbt(
        newPsbt(
          constructTransaction(inputs, outputs, locktime, replaceable as boolean | undefined),
        ),
      ),
  ),
  method(
    'converttopsbt',
    ['hexstring:string', 'permitsigdata:bool?', 'iswitness:bool?'],
    (_, args) => convertToPsbt(args),
  ),
  method('utxoupdatepsbt', ['psbt:string', 'descriptors:array?'], utxoUpdate),
  method(
    'descriptorprocesspsbt',
    [
      'psbt:string',
      'descriptors:array',
      'sighashtype:string?',
      'bip32derivs:bool?',
      'finalize:bool?',
    ],
    descriptorProcess,
  ),
]
