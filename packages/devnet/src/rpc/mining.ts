import { scriptOf } from '../chain/address.ts'
import { withReservedValue } from '../chain/assemble.ts'
import { decodeBlock, readHeader } from '../chain/block.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { type Rejection, rejectionText } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import { DevnetError } from '../failure.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { integerArgument, type Method, method, type RpcContext } from './method.ts'
import { transactionArgument } from './transactions.ts'

function addressScript(value: unknown): Uint8Array {
  const script = scriptOf(String(value))
  if (!script) throw rpcError('invalidAddressOrKey', 'Error: Invalid address')
  return script
}
function generateToAddress({ regtest }: RpcContext, args: readonly unknown[]): Json {
  const count = integerArgument(args[0])
  const script = addressScript(args[1])
  const hashes: string[] = []
  for (let left = count; left > 0; left--) hashes.push(regtest.mine(script).hash)
  return hashes
}
function generateBlock({ regtest }: RpcContext, args: readonly unknown[]): Json {
  const script = addressScript(args[0])
  const list = args[1] as readonly unknown[]
  const transactions = list.map((item): Transaction => {
    const text = String(item)
    const entry = regtest.mempool.pool.entries.get(text)
    if (entry) return entry.transaction
    if (/^[0-9a-f]{64}$/.test(text)) {
      throw rpcError('invalidAddressOrKey', `Transaction ${text} not in mempool.`)
    }
    return transactionArgument(
      text,
      `Transaction decode failed for ${text}. Make sure the tx has at least one input.`,
    )
  })
  if (args[2] === false) {
    const { tip } = regtest.chain
    const fees = regtest.feesOnTip(transactions)
    const block = regtest.assemble({ prev: tip, transactions, fees, coinbaseScript: script })
    return { hash: block.header.hash, hex: toHex(block.raw) }
  }
  try {
    return { hash: regtest.mineExactly(transactions, script).hash }
  } catch (fault) {
    if (!(fault instanceof DevnetError)) throw fault
    throw rpcError('verify', `TestBlockValidity failed: ${fault.reason ?? fault.message}`)
  }
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
  const { chain, mempool } = regtest
  const { tip } = chain
  const first = chain.active[Math.max(0, tip.height - 120)]
  const seconds = first ? tip.header.time - first.header.time : 0
  const blocks = tip.height - (first?.height ?? 0)
  return {
    blocks: tip.height,
    currentblockweight: 4000,
    currentblocktx: 0,
    difficulty: 4.656542373906925e-10,
    networkhashps: seconds > 0 ? (2 * blocks) / seconds : 0,
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
  method('generateblock', ['output:string', 'transactions:array', 'submit:bool?'], generateBlock),
  method('submitblock', ['hexdata:string', 'dummy:string?'], submitBlock),
  method('submitheader', ['hexdata:string'], submitHeader),
  method('getmininginfo', [], miningInfo),
]
