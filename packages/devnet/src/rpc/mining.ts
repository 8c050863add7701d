import { scriptOf } from '../chain/address.ts'
import { withReservedValue } from '../chain/assemble.ts'
import { decodeBlock, readHeader } from '../chain/block.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { type Rejection, rejectionText } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import { testBlock } from '../chain/trial.ts'
import type { Descriptor } from '../descriptor/parse.ts'
import { hashRate } from './chainwork.ts'
import { descriptorArgument, scriptsAt } from './descriptors.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { int32Argument, type Method, method, type RpcContext, textArgument } from './method.ts'
import { transactionArgument } from './transactions.ts'

function addressScript(value: unknown): Uint8Array {
  const script = scriptOf(String(value))
  if (!script) throw rpcError('invalidAddressOrKey', 'Error: Invalid address')
  return script
}
/** Hash tries of one call. A block takes two on average: Core's default never ends a call early. */
function triesArgument(value: unknown): number {
  return int32Argument(value, 1_000_000)
}
function mineTo(
  { regtest }: RpcContext,
  count: number,
  script: Uint8Array,
  tries: number,
): readonly string[] {
  const hashes: string[] = []
  let left = tries
  for (let open = count; open > 0 && left > 0; open--) {
    const node = regtest.mine(script)
    left -= node.header.nonce + 1
    hashes.push(node.hash)
  }
  return hashes
}
function generateToAddress(context: RpcContext, args: readonly unknown[]): Json {
  const count = int32Argument(args[0])
  const tries = triesArgument(args[2])
  return mineTo(context, count, addressScript(args[1]), tries)
}
/** The script that Core mines to for a descriptor: of a combo the second, or the P2WPKH one. */
function minedScript(descriptor: Descriptor): Uint8Array {
  if (descriptor.ranged) {
    const fault = 'Ranged descriptor not accepted. Maybe pass through deriveaddresses first?'
    throw rpcError('invalidParameter', fault)
  }
  const scripts = scriptsAt(descriptor, 0)
  const script = scripts[scripts.length === 4 ? 2 : scripts.length === 1 ? 0 : 1]
  if (script) return script
  throw rpcError('invalidAddressOrKey', 'Cannot derive script without private keys')
}
function generateToDescriptor(context: RpcContext, args: readonly unknown[]): Json {
  const count = int32Argument(args[0])
  const tries = triesArgument(args[2])
  return mineTo(context, count, minedScript(descriptorArgument(String(args[1]))), tries)
}
function outputScript(text: string): Uint8Array {
  let descriptor: Descriptor
  try {
    descriptor = descriptorArgument(text)
  } catch {
    const script = scriptOf(text)
    if (script) return script
    throw rpcError('invalidAddressOrKey', 'Error: Invalid address or descriptor')
  }
  return minedScript(descriptor)
}
function blockTransaction({ regtest }: RpcContext, value: unknown): Transaction {
  const text = textArgument(value)
  if (/^[0-9a-fA-F]{64}$/.test(text)) {
    const entry = regtest.mempool.pool.entries.get(text.toLowerCase())
    if (entry) return entry.transaction
    throw rpcError('invalidAddressOrKey', `Transaction ${text} not in mempool.`)
  }
  const hint = 'Make sure the tx has at least one input.'
  return transactionArgument(text, `Transaction decode failed for ${text}. ${hint}`)
}
function generateBlock(context: RpcContext, args: readonly unknown[]): Json {
  const { regtest } = context
  const coinbaseScript = outputScript(String(args[0]))
  const list = args[1] as readonly unknown[]
  const transactions = list.map((item) => blockTransaction(context, item))
  const prev = regtest.chain.tip
  // Core claims no fees here: the template that it starts from is empty.
  const block = regtest.assemble({ prev, transactions, fees: 0n, coinbaseScript })
  regtest.noteTemplate([])
  const fault = testBlock(regtest.chain, block)
  if (fault) throw rpcError('verify', `testBlockValidity failed: ${rejectionText(fault)}`)
  const { hash } = block.header
  if (args[2] === false) return { hash, hex: toHex(block.raw) }
  regtest.submit(block)
  return { hash }
}
function submitBlock({ regtest }: RpcContext, [hex]: readonly unknown[]): Json {
  const bytes = tryFromHex(String(hex))
  const block = bytes && decodeBlock(bytes)
  if (!block) throw rpcError('deserialization', 'Block decode failed')
  if (!block.transactions[0]?.isCoinbase) {
    throw rpcError('deserialization', 'Block does not start with a coinbase')
  }
  const known = regtest.chain.nodes.has(block.header.prev)
  const outcome = regtest.submit(known ? withReservedValue(block) : block)
  switch (outcome.kind) {
    case 'duplicate':
    case 'duplicate-invalid':
      return outcome.kind
    case 'refused':
      return outcome.rejection.reason
    case 'stored':
      // Stored on a branch that is not the best: its coins were not looked at yet.
      return regtest.chain.isActive(outcome.node) ? null : 'inconclusive'
  }
}
function submitHeader({ regtest }: RpcContext, [hex]: readonly unknown[]): Json {
  const bytes = tryFromHex(String(hex))
  if (bytes?.length !== 80) throw rpcError('deserialization', 'Block header decode failed')
  const header = readHeader(bytes)
  if (!regtest.chain.nodes.has(header.prev)) {
    const fault = `Must submit previous header (${header.prev}) first`
    throw rpcError('verify', fault)
  }
  const outcome = regtest.chain.storeHeader({ header })
  if (outcome.kind === 'refused') throw rpcError('verify', reasonOf(outcome.rejection))
  return null
}
const reasonOf = (rejection: Rejection): string => rejectionText(rejection)

function miningInfo({ regtest }: RpcContext): Json {
  const { chain, mempool, lastTemplate } = regtest
  const { tip } = chain
  return {
    blocks: tip.height,
    currentblockweight: lastTemplate?.weight,
    currentblocktx: lastTemplate?.transactions,
    difficulty: 4.656542373906925e-10,
    networkhashps: hashRate(chain, 120, -1),
    pooledtx: mempool.pool.entries.size,
    chain: 'regtest',
    warnings: [],
  }
}

export const miningMethods: readonly Method[] = [
  method(
    'generatetoaddress',
    ['nblocks:number', 'address:string', 'maxtries:number?'],
    generateToAddress,
  ),
  method(
    'generatetodescriptor',
    ['num_blocks:number', 'descriptor:string', 'maxtries:number?'],
    generateToDescriptor,
  ),
  method('generate', [], () => {
    const hint = 'has been replaced by the -generate cli option. Refer to -help for more'
    throw rpcError('methodNotFound', `generate\n\n${hint} information.\n`)
  }),
  method('generateblock', ['output:string', 'transactions:array', 'submit:bool?'], generateBlock),
  method('submitblock', ['hexdata:string', 'dummy:string?'], submitBlock),
  method('submitheader', ['hexdata:string'], submitHeader),
  method('getmininginfo', [], miningInfo),
]
