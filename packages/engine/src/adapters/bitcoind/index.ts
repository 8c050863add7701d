export { GENESIS } from '../../capabilities/chain/index.ts'
export type {
  BlockchainInfo,
  BlockFilter,
  BlockHeader,
  BlockOf,
  BlockStats,
  ChainTip,
} from './calls/chain.ts'
export type { MempoolEntry, MempoolInfo, MempoolList, MempoolSpend } from './calls/mempool.ts'
export type {
  FeeEstimate,
  IndexState,
  MiningInfo,
  NetTotals,
  NetworkInfo,
  PeerInfo,
  ZmqNotification,
} from './calls/network.ts'
export type { DecodedPsbt, DescriptorInfo, FinalizedPsbt, PsbtAnalysis } from './calls/psbt.ts'
export type { PackageResult, SendOutcome, SendRequest } from './calls/send.ts'
export type {
  CoinScan,
  DecodedInput,
  DecodedOutput,
  DecodedTransaction,
  MempoolVerdict,
  ScannedCoin,
  TransactionOutput,
} from './calls/transaction.ts'
export type {
  BumpedFee,
  DescriptorImport,
  DescriptorImported,
  FundedPsbt,
  WalletBalances,
  WalletCoin,
  WalletEntry,
  WalletFacts,
  WalletHistory,
  WalletInfo,
  WalletTransaction,
  WalletTransactionDetail,
} from './calls/wallet.ts'
export { createBitcoindBroadcaster } from './broadcaster.ts'
export type { NodeCapabilities, ProbedMethod } from './capabilities.ts'
export { type BitcoindClient, type BitcoindWallet, createBitcoindClient } from './client.ts'
export type { RpcCall, RpcError, RpcReply } from './envelope.ts'
export { createBitcoindMempool } from './mempool-source.ts'
export { DEFAULT_DEADLINES, type Deadlines, type MethodClass } from './methods.ts'
export type { BitcoindAuth, BitcoindOptions, BitcoindTls } from './options.ts'
export { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
export type { CallOptions, Rpc } from './rpc.ts'
export { type BitcoindSource, createBitcoindSource } from './source.ts'
export type { Timers } from './timers.ts'
export {
  ERROR_CODES,
  REJECT_REASONS,
  type Verdict,
  verdictOfCode,
  verdictOfReject,
} from './verdicts/index.ts'
