import { AssertionError } from './error.ts'

declare const id: unique symbol
/** Transaction id as people read it: 64 lower-case hex digits, reversed wire order. */
export type Txid = string & { readonly [id]: 'txid' }
/** Witness transaction id (BIP 141), same form. */
export type Wtxid = string & { readonly [id]: 'wtxid' }
/** Block hash as people read it: 64 lower-case hex digits, reversed wire order. */
export type BlockHash = string & { readonly [id]: 'block' }
export type WalletId = string & { readonly [id]: 'wallet' }
export type OrderId = string & { readonly [id]: 'order' }
export type PaymentId = string & { readonly [id]: 'payment' }
export type WithdrawalId = string & { readonly [id]: 'withdrawal' }
/** One intention to move coins, with all the transactions that could carry it out. */
export type SpendId = string & { readonly [id]: 'spend' }
/** One version of a spend: a transaction to sign. */
export type PsbtId = string & { readonly [id]: 'psbt' }

/** One run that puts coins of a wallet together. */
export type ConsolidationId = string & { readonly [id]: 'consolidation' }

export interface BlockRef {
  readonly height: number
  readonly hash: BlockHash
}
/** One output of one transaction. */
export interface OutPoint {
  readonly txid: Txid
  readonly vout: number
}

const HASH = /^[0-9a-f]{64}$/
const hash = (kind: string, value: string): string => {
  if (!HASH.test(value)) throw new AssertionError(`not a ${kind}: ${value.slice(0, 80)}`)
  return value
}
/** @throws AssertionError unless 64 lower-case hex digits. Outside data goes through a parser first. */
export const txid = (value: string): Txid => hash('txid', value) as Txid
export const wtxid = (value: string): Wtxid => hash('wtxid', value) as Wtxid
export const blockHash = (value: string): BlockHash => hash('block hash', value) as BlockHash
export const isHash = (value: unknown): value is string =>
  typeof value === 'string' && HASH.test(value)

/** The key under which an outpoint stands in every map and column: `txid:vout`. */
export const outPointKey = (point: OutPoint): string => `${point.txid}:${point.vout}`
export function parseOutPointKey(key: string): OutPoint {
  const at = key.indexOf(':')
  return { txid: txid(key.slice(0, at)), vout: Number(key.slice(at + 1)) }
}
/** A payment is its outpoint: the same money has the same id in every process and after every restore. */
export const paymentId = (point: OutPoint): PaymentId =>
  `pay_${point.txid}_${point.vout}` as PaymentId
