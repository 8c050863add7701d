import { DevnetError, type DevnetErrorCode } from '../failure.ts'
import type { Spend } from '../powers/coins.ts'
import { FAULT_KINDS, type Fault } from '../powers/faults.ts'
import type { Payment } from '../powers/payment.ts'
import type { Journey, Powers, Snapshot } from '../powers/powers.ts'
import { type RPC_CODE, type RpcError, rpcError } from './errors.ts'
import { Fields } from './fields.ts'
import type { Json } from './json.ts'
import { amountArgument, integerArgument, type Method, method, type RpcContext } from './method.ts'

/** Core's code for each of our own; the message begins with our own, so that any language can read it. */
const CODES: Partial<Record<DevnetErrorCode, keyof typeof RPC_CODE>> = {
  DEVNET_ADDRESS_INVALID: 'invalidAddressOrKey',
  DEVNET_BLOCK_REFUSED: 'verify',
  DEVNET_COIN_UNKNOWN: 'invalidAddressOrKey',
  DEVNET_KEY_UNKNOWN: 'invalidAddressOrKey',
  DEVNET_SNAPSHOT_UNKNOWN: 'invalidAddressOrKey',
  DEVNET_TRANSACTION_INVALID: 'deserialization',
  DEVNET_TRANSACTION_REFUSED: 'verifyRejected',
  DEVNET_TRANSACTION_UNKNOWN: 'invalidAddressOrKey',
  DEVNET_USAGE: 'invalidParameter',
}
const translated = (error: DevnetError): RpcError =>
  rpcError(CODES[error.code] ?? 'misc', `${error.code}: ${error.message}`)

/** A power as a call. What refuses it is answered with Core's code and our own word. */
function power(
  name: string,
  parameters: readonly string[],
  run: (powers: RpcContext['powers'], args: readonly unknown[]) => Json,
): Method {
  return method(`devnet_${name}`, parameters, ({ powers }, args) => {
    try {
      return run(powers, args)
    } catch (error) {
      throw error instanceof DevnetError ? translated(error) : error
    }
  })
}
const optional = (value: unknown): string | undefined =>
  value === undefined ? undefined : String(value)
const to = (address: unknown) => (address === undefined ? {} : { to: String(address) })
const spendView = ({ txid, raw, fee }: Spend): Json => ({ txid, hex: raw, fee })
const journeyView = ({ time, expired, mined }: Journey): Json => ({ time, expired, mined })

function reorg(powers: Powers, [depth, options]: readonly unknown[]): Json {
  const fields = new Fields(options, ['keep', 'drop', 'blocks', 'address'])
  const { fork, ...rest } = powers.reorg(integerArgument(depth), {
    ...fields.pick('keep', (value) => (value === 'all' ? 'all' : fields.texts('keep'))),
    ...fields.pick('drop', (value) => (value === 'all' ? 'all' : fields.texts('drop'))),
    ...fields.pick('blocks', (value) =>
      typeof value === 'number' ? value : fields.textLists('blocks'),
    ),
    ...fields.pickAs('address', 'coinbaseTo', () => fields.text('address')),
  })
  return { fork: { ...fork }, ...rest }
}
function replace(powers: Powers, [txid, options]: readonly unknown[]): Json {
  const fields = new Fields(options, ['address', 'outputs', 'fee', 'fee_rate'])
  const spend = powers.replace(String(txid), {
    ...fields.pickAs('address', 'to', () => fields.text('address')),
    ...fields.pickAs('outputs', 'outs', paymentsOf),
    ...fields.pick('fee', amountArgument),
    ...fields.pickAs('fee_rate', 'feeRate', () => fields.whole('fee_rate')),
  })
  return spendView(spend)
}
/** `{ address: amount }` in bitcoins, or a list of such, as Core's raw transaction calls take them. */
function paymentsOf(value: unknown): readonly Payment[] {
  const lists = Array.isArray(value) ? value : [value]
  return lists.flatMap((item) =>
    Object.entries((item ?? {}) as Record<string, unknown>).map(([address, amount]) => ({
      address,
      amount: amountArgument(amount),
    })),
  )
}
function pay(powers: Powers, [address, amount, options]: readonly unknown[]): Json {
  const fields = new Fields(options, ['fee_rate', 'replaceable'])
  const spend = powers.pay(String(address), amountArgument(amount), {
    ...fields.pickAs('fee_rate', 'feeRate', () => BigInt(fields.whole('fee_rate'))),
    ...fields.pickAs('replaceable', 'rbf', () => fields.flag('replaceable')),
  })
  return spendView(spend)
}
function faultOf(value: unknown): Fault {
  const names = ['method', 'kind', 'times', 'after', 'code', 'message', 'ms', 'answer', 'blocks']
  const fields = new Fields(value, names)
  const { kind, method: name = '*', times, answer } = fields.all
  const known = FAULT_KINDS.find((one) => one === kind)
  if (!known) throw new DevnetError('DEVNET_USAGE', `kind is one of ${FAULT_KINDS.join(', ')}`)
  return {
    method: typeof name === 'string' ? name : fields.texts('method'),
    kind: known,
    // JSON has no infinity.
    ...fields.pick('times', () =>
      times === 'always' ? Number.POSITIVE_INFINITY : fields.whole('times'),
    ),
    ...fields.pick('after', () => fields.whole('after')),
    ...fields.pick('code', (code) => integerArgument(code)),
    ...fields.pick('message', () => fields.text('message')),
    ...fields.pick('ms', () => fields.whole('ms')),
    ...fields.pick('blocks', () => fields.whole('blocks')),
    ...('answer' in fields.all ? { answer } : {}),
  }
}
function faults({ faults: armed }: Powers): Json {
  return armed.list().map(({ id, fault, hits, left }) => ({
    id,
    method: fault.method,
    kind: fault.kind,
    hits,
    left: Number.isFinite(left) ? left : 'always',
  }))
}

/** Snapshots live as long as the process: they share the memory of the chain that they are of. */
const snapshots = new WeakMap<Powers, Map<string, Snapshot>>()
function snapshot(powers: Powers): Json {
  const own = snapshots.get(powers) ?? new Map<string, Snapshot>()
  snapshots.set(powers, own)
  const id = `snapshot-${own.size + 1}`
  own.set(id, powers.snapshot())
  return id
}
function restore(powers: Powers, [id]: readonly unknown[]): Json {
  const found = snapshots.get(powers)?.get(String(id))
  if (!found) throw new DevnetError('DEVNET_SNAPSHOT_UNKNOWN', `no snapshot ${id}`)
  powers.restore(found)
  return tip(powers)
}
const tip = (powers: Powers): Json => ({ ...powers.tip })

/** After the answer is on its way: the connection that asked for it shall have one. */
function afterAnswer(work: () => Promise<void>): Json {
  setImmediate(() => void work())
  return null
}
function restart(powers: RpcContext['powers'], [mempool]: readonly unknown[]): Json {
  const fate = optional(mempool) ?? 'kept'
  if (fate !== 'kept' && fate !== 'lost' && fate !== 'loading') {
    throw new DevnetError('DEVNET_USAGE', 'mempool is one of kept, lost, loading')
  }
  return afterAnswer(() => powers.restart({ mempool: fate }))
}
function down(powers: RpcContext['powers'], [ms]: readonly unknown[]): Json {
  const wait = integerArgument(ms)
  return afterAnswer(async () => {
    await powers.down()
    setTimeout(() => void powers.up(), wait)
  })
}
function rawTransaction(powers: Powers, [txid]: readonly unknown[]): Json {
  const raw = powers.rawTransaction(String(txid))
  if (raw !== undefined) return raw
  throw new DevnetError('DEVNET_TRANSACTION_UNKNOWN', `no transaction ${txid} was seen`)
}
function info(powers: Powers, _: readonly unknown[]): Json {
  const { seed, clock, verifySignatures } = powers.settings
  return {
    ...powers.tip,
    time: powers.now,
    clock,
    seed,
    verify_signatures: verifySignatures,
    stranger_address: powers.strangerAddress,
    faults: powers.faults.list().filter(({ left }) => left > 0).length,
  }
}
/** The powers for programs in any language. No fault, warm-up or lag touches these calls. */
export const powerMethods: readonly Method[] = [
  power('mine', ['count:number?', 'address:string?'], (powers, [count, address]) =>
    powers.mine(integerArgument(count, 1), to(address)),
  ),
  power('reorg', ['depth:number', 'options:object?'], reorg),
  power('pay', ['address:string', 'amount:any', 'options:object?'], pay),
  power('faucet', ['address:string', 'amount:any', 'confirmations:number?'], (powers, args) => {
    const confirmations = integerArgument(args[2], 1)
    return spendView(powers.faucet(String(args[0]), amountArgument(args[1]), { confirmations }))
  }),
  power('replace', ['txid:string', 'options:object?'], replace),
  power('evict', ['txids:array'], (powers, [txids]) =>
    powers.evict(...new Fields({ txids }, ['txids']).texts('txids')),
  ),
  power('feeSpike', ['fee_rate:number'], (powers, [rate]) =>
    powers.feeSpike(integerArgument(rate)),
  ),
  power('travel', ['seconds:number', 'blocks:number?'], (powers, [seconds, blocks]) =>
    journeyView(powers.travel(Number(seconds), { blocks: integerArgument(blocks, 0) })),
  ),
  power('travelTo', ['time:number', 'blocks:number?'], (powers, [time, blocks]) =>
    journeyView(powers.travelTo(Number(time), { blocks: integerArgument(blocks, 0) })),
  ),
  power('snapshot', [], snapshot),
  power('restore', ['id:string'], restore),
  power('fault', ['fault:object'], (powers, [fault]) => powers.faults.arm(faultOf(fault))),
  power('faults', [], faults),
  power('clearFaults', ['id:number?'], (powers, [id]) => {
    powers.faults.clear(id === undefined ? undefined : integerArgument(id))
    return null
  }),
  power('rawTransaction', ['txid:string'], rawTransaction),
  power('restart', ['mempool:string?'], restart),
  power('finishLoading', [], (powers) => {
    powers.finishLoading()
    return tip(powers)
  }),
  power('down', ['ms:number'], down),
  power('info', [], info),
]
