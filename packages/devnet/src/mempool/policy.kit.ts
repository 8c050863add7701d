import { toHex } from '../chain/bytes.ts'
import { signTransaction } from '../chain/keys.ts'
import { strangerKey } from '../chain/start.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import { createDevnetInProcess, type Devnet, type DevnetOptions } from '../index.ts'
import { must } from '../failure.ts'

export const NOW = 1_700_000_000
export const home = strangerKey.script
/** An output that a test spends. */
export interface Coin {
  readonly txid: string
  readonly vout: number
  readonly value: bigint
}
export interface Plan {
  readonly from: string | Coin | readonly (string | Coin)[]
  /** Satoshi. Default 1000. */
  readonly fee?: bigint
  readonly version?: number
  /** Outputs besides the change, which is always the last one. */
  readonly outs?: readonly TransactionOutput[]
  /** So many equal outputs instead of one change. */
  readonly split?: number
  /** Outputs are added until the transaction has at least so many vbytes. */
  readonly size?: number
  readonly sequence?: number
  readonly locktime?: number
  readonly witness?: readonly Uint8Array[]
  readonly script?: Uint8Array
}
export interface Made {
  readonly raw: string
  readonly txid: string
  readonly wtxid: string
  readonly vsize: number
  readonly transaction: Transaction
  readonly coins: readonly Coin[]
}
/** The bytes of a transaction without any signature. */
export const bare = (parts: Parameters<typeof encodeTransaction>[0]): Transaction =>
  must(decodeTransaction(encodeTransaction(parts)), 'it decodes')

/** A devnet without signatures, whose clock a test moves, and what a test asks of it. */
export class Scene {
  now = NOW
  readonly devnet: Devnet

  constructor(options: DevnetOptions = {}) {
    const clock = () => this.now * 1000
    this.devnet = createDevnetInProcess({ clock, verifySignatures: false, ...options })
  }
  coin(name: string): Coin {
    return this.devnet.strangerCoin(name)
  }
  #coins(from: Plan['from']): readonly Coin[] {
    const list = Array.isArray(from)
      ? (from as readonly (string | Coin)[])
      : [from as string | Coin]
    return list.map((ref) => (typeof ref === 'string' ? this.coin(ref) : ref))
  }
  make(plan: Plan): Made {
    const coins = this.#coins(plan.from)
    const fixed = plan.outs ?? []
    const rest = [...coins.map(({ value }) => value), ...fixed.map(({ value }) => -value)].reduce(
      (sum, value) => sum + value,
      -(plan.fee ?? 1000n),
    )
    const pieces = plan.split ?? (plan.size ? Math.ceil((plan.size - 80) / 31) : 1)
    const change = Array.from({ length: pieces }, (_, i) => ({
      script: home,
      value: rest / BigInt(pieces) + (i === 0 ? rest % BigInt(pieces) : 0n),
    }))
    const draft = bare({
      version: plan.version ?? 2,
      inputs: coins.map(({ txid, vout }) => ({
        txid,
        vout,
        script: plan.script ?? new Uint8Array(),
        sequence: plan.sequence ?? 0xfffffffd,
        witness: plan.witness ?? [],
      })),
      outputs: [...fixed, ...change],
      locktime: plan.locktime ?? 0,
    })
    const spent = coins.map(({ value }) => ({ value, script: home }))
    const signed = plan.witness ? draft : sign(draft, spent)
    return {
      raw: toHex(signed.raw),
      txid: signed.txid,
      wtxid: signed.wtxid,
      vsize: signed.vsize,
      transaction: signed,
      coins: signed.outputs.map(({ value }, vout) => ({ txid: signed.txid, vout, value })),
    }
  }
  /** Core's words when it is refused. */
  send(made: Made): string | undefined {
    return this.devnet.trySend(made.raw)
  }
  /** Sends what must get in. */
  sent(plan: Plan): Made {
    const made = this.make(plan)
    this.devnet.send(made.raw)
    return made
  }
  /** What `testmempoolaccept` says of these. */
  verdicts(...made: readonly Made[]): readonly Verdict[] {
    const raws = made.map(({ raw }) => raw)
    return this.devnet.call('testmempoolaccept', [raws]) as unknown as readonly Verdict[]
  }
  submit(...made: readonly Made[]): PackageAnswer {
    const raws = made.map(({ raw }) => raw)
    return this.devnet.call('submitpackage', [raws]) as unknown as PackageAnswer
  }
  pool(): readonly string[] {
    return this.devnet.view.mempool()
  }
  /** `length` transactions, each spending the last output of the one before. */
  chain(from: string | Coin, length: number, more: Partial<Plan> = {}): Made[] {
    const made: Made[] = []
    for (let at: string | Coin | undefined = from; at && made.length < length; ) {
      const next: Made = this.sent({ from: at, ...more })
      made.push(next)
      at = next.coins[next.coins.length - 1]
    }
    return made
  }
}
function sign(draft: Transaction, spent: readonly TransactionOutput[]): Transaction {
  const { raw } = signTransaction(draft, spent, [strangerKey], 'dummy')
  return must(decodeTransaction(raw), 'it decodes')
}
export interface Verdict {
  readonly txid: string
  readonly allowed?: boolean
  readonly 'reject-reason'?: string
  readonly 'package-error'?: string
  readonly vsize?: number
  readonly fees?: { readonly base: bigint; readonly 'effective-feerate': bigint }
}
export interface PackageAnswer {
  readonly package_msg: string
  readonly 'tx-results': Readonly<
    Record<
      string,
      {
        readonly txid: string
        readonly error?: string
        readonly 'other-wtxid'?: string
        readonly vsize?: number
        readonly fees?: {
          readonly base: bigint
          readonly 'effective-feerate'?: bigint
          readonly 'effective-includes'?: readonly string[]
        }
      }
    >
  >
  readonly 'replaced-transactions': readonly string[]
}
