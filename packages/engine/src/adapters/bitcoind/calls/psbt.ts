import type { Sat, SatPerKvB } from '../../../kernel/index.ts'
import type { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import type { Caller } from './caller.ts'
import { type DecodedTransaction, readTransaction } from './transaction.ts'

export interface PsbtAnalysis {
  readonly inputs: readonly {
    readonly hasCoin: boolean
    readonly isFinal: boolean
    readonly next?: string
  }[]
  readonly estimatedVsize?: number
  readonly estimatedRate?: SatPerKvB
  readonly fee?: Sat
  /** Who has to act: updater, signer, finalizer, extractor. */
  readonly next: string
  readonly error?: string
}
export interface DecodedPsbt {
  readonly transaction: DecodedTransaction
  readonly version: number
  /** Amount of the coin each input spends, where the PSBT carries it. */
  readonly inputs: readonly { readonly amount?: Sat; readonly script?: Uint8Array }[]
  readonly outputCount: number
  readonly fee?: Sat
}
/** `raw` stands there when the transaction is complete; `psbt` otherwise. */
export interface FinalizedPsbt {
  readonly complete: boolean
  readonly raw?: Uint8Array
  readonly psbt?: string
}
export interface DescriptorInfo {
  /** In the node's own spelling, with checksum and without private keys. */
  readonly descriptor: string
  /** Checksum of the text as it was given. */
  readonly checksum: string
  readonly isRange: boolean
  readonly isSolvable: boolean
  readonly hasPrivateKeys: boolean
}

/** PSBTs and descriptors: calls that need no wallet. They are a second opinion; our own code decides. */
export const psbtCalls = ({ call }: Caller) => ({
  analyzePsbt: (psbt: string, options?: CallOptions): Promise<PsbtAnalysis> =>
    call('analyzepsbt', [psbt], readAnalysis, options),
  decodePsbt: (psbt: string, options?: CallOptions): Promise<DecodedPsbt> =>
    call('decodepsbt', [psbt], readDecoded, options),
  finalizePsbt: (psbt: string, options?: CallOptions): Promise<FinalizedPsbt> =>
    call('finalizepsbt', [psbt], readFinalized, options),
  getDescriptorInfo: (descriptor: string, options?: CallOptions): Promise<DescriptorInfo> =>
    call('getdescriptorinfo', [descriptor], readDescriptorInfo, options),
  /** Addresses `from` to `to`, both included, of a ranged descriptor; without range the one of a fixed descriptor. */
  deriveAddresses: (
    descriptor: string,
    range?: readonly [from: number, to: number],
    options?: CallOptions,
  ): Promise<readonly string[]> =>
    call(
      'deriveaddresses',
      range === undefined ? [descriptor] : [descriptor, range],
      (field) => field.list((item) => item.text()),
      options,
    ),
})

function readAnalysis(field: Field): PsbtAnalysis {
  const vsize = field.maybe('estimated_vsize')
  const rate = field.maybe('estimated_feerate')
  const fee = field.maybe('fee')
  const error = field.maybe('error')
  return {
    inputs: field.maybe('inputs')?.list(readAnalysedInput) ?? [],
    ...(vsize ? { estimatedVsize: vsize.count() } : {}),
    ...(rate ? { estimatedRate: rate.rate() } : {}),
    ...(fee ? { fee: fee.sat() } : {}),
    next: field.get('next').text(),
    ...(error ? { error: error.text() } : {}),
  }
}

function readAnalysedInput(field: Field) {
  const next = field.maybe('next')
  return {
    hasCoin: field.get('has_utxo').flag(),
    isFinal: field.get('is_final').flag(),
    ...(next ? { next: next.text() } : {}),
  }
}

function readDecoded(field: Field): DecodedPsbt {
  const fee = field.maybe('fee')
  return {
    transaction: readTransaction(field.get('tx')),
    version: field.get('psbt_version').count(),
    inputs: field.get('inputs').list((input) => {
      const coin = input.maybe('witness_utxo')
      if (!coin) return {}
      return {
        amount: coin.get('amount').sat(),
        script: coin.get('scriptPubKey').get('hex').bytes(),
      }
    }),
    outputCount: field.get('outputs').array().length,
    ...(fee ? { fee: fee.sat() } : {}),
  }
}

export function readFinalized(field: Field): FinalizedPsbt {
  const raw = field.maybe('hex')
  const psbt = field.maybe('psbt')
  return {
    complete: field.get('complete').flag(),
    ...(raw ? { raw: raw.bytes() } : {}),
    ...(psbt ? { psbt: psbt.text() } : {}),
  }
}

const readDescriptorInfo = (field: Field): DescriptorInfo => ({
  descriptor: field.get('descriptor').text(),
  checksum: field.get('checksum').text(),
  isRange: field.get('isrange').flag(),
  isSolvable: field.get('issolvable').flag(),
  hasPrivateKeys: field.get('hasprivatekeys').flag(),
})
